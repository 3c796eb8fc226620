import { z } from "zod";
import { negotiate } from "../http/negotiation.ts";
import { addRoute, type Api } from "../http/route.ts";
import { json } from "../http/schemas.ts";
import { paths } from "./frame/paths.ts";

const DIRECTORY = {
  service: "Trainer assignment",
  api: "/v1",
  openapi: "/openapi.json",
  docs: "/docs",
  health: "/readyz",
  admin: paths.home,
};

/** Answers `/`: redirects browsers to the admin page, and tells programs where the API is. */
export function addEntrance(api: Api): void {
  addRoute(api, {
    method: "get",
    path: "/",
    role: "none",
    isHidden: true,
    operationId: "getEntrance",
    summary: "Tell where everything is",
    responses: {
      200: {
        description: "Addresses.",
        content: json(z.record(z.string(), z.string()), DIRECTORY),
      },
      302: { description: "The admin page, for browsers." },
    },
    errors: ["not_acceptable"],
  }, (c) => {
    const type = negotiate(c, ["application/json", "text/html"]);
    return type === "text/html" ? c.redirect(paths.home) : c.json(DIRECTORY, 200);
  });
}
