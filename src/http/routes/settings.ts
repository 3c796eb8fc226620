import { z } from "@hono/zod-openapi";
import { getSettings, setDefaultTrainer } from "../../policy/settings.ts";
import { actorOf, logChange } from "../audit.ts";
import { actorName } from "../identity/auth.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, json, Time, TrainerId } from "../schemas.ts";

const Settings = z.object({
  defaultTrainerId: TrainerId,
  updatedAt: Time,
  updatedBy: z.string().nullable(),
}).openapi("Settings");

const ChangeSettingsRequest = z.strictObject({ defaultTrainerId: TrainerId }).openapi(
  "ChangeSettingsRequest",
);

const SETTINGS_EXAMPLE = { defaultTrainerId: EXAMPLE.trainerId, updatedAt: EXAMPLE.time, updatedBy: "ops" };

/** The settings: the default trainer. */
export function addSettingsRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/settings",
    role: "admin",
    operationId: "getSettings",
    summary: "Get the settings",
    description: "Returns the default trainer, and who set it when.",
    tags: ["Settings"],
    responses: { 200: { description: "The settings.", content: json(Settings, SETTINGS_EXAMPLE) } },
    errors: ["trainer_not_found"],
  }, async (c) => c.json(await getSettings(sql), 200));

  addRoute(
    api,
    {
      method: "put",
      path: "/v1/settings",
      role: "admin",
      operationId: "changeSettings",
      summary: "Change the default trainer",
      description:
        "New members are assigned to this trainer from now on. Existing assignments stay as they are. The trainer must be a " +
        "member.",
      tags: ["Settings"],
      request: {
        body: {
          required: true,
          content: json(ChangeSettingsRequest, { defaultTrainerId: EXAMPLE.trainerId }),
        },
      },
      responses: { 200: { description: "The new settings.", content: json(Settings, SETTINGS_EXAMPLE) } },
      errors: ["trainer_not_found"],
    },
    async (c) => {
      const settings = await setDefaultTrainer(sql, c.req.valid("json").defaultTrainerId, actorName(c));
      logChange(log, actorOf(c), "default_trainer_changed", { trainerId: settings.defaultTrainerId });
      return c.json(settings, 200);
    },
  );
}
