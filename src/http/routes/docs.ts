import type { Context } from "hono";
import { OpenApiDocument, openApiDocument } from "../openapi.ts";
import { addRoute, type Api } from "../route.ts";
import { json, text } from "../schemas.ts";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trainer assignment: API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

// validatorUrl: null keeps the page from asking a service on the internet about the document.
const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
`;

const CACHED = { "Cache-Control": "public, max-age=3600" };

const ASSETS = [
  { name: "swagger-ui.css", contentType: "text/css; charset=utf-8" },
  { name: "swagger-ui-bundle.js", contentType: "text/javascript; charset=utf-8" },
  { name: "favicon-32x32.png", contentType: "image/png" },
] as const;

/** The documentation: the document, and a page that shows it without the internet and under the same strict policy. */
export function addDocumentationRoutes(api: Api): void {
  let document: ReturnType<typeof openApiDocument> | undefined;

  addRoute(api, {
    method: "get",
    path: "/openapi.json",
    role: "none",
    operationId: "getOpenApi",
    summary: "Get the OpenAPI document",
    description: "Returns this OpenAPI 3.1 document.",
    tags: ["Operation"],
    responses: {
      200: { description: "The document.", content: json(OpenApiDocument, { openapi: "3.1.0" }) },
    },
    errors: [],
  }, (c) => c.json(document ??= openApiDocument(api.app), 200, CACHED));

  addRoute(api, {
    method: "get",
    path: "/docs",
    role: "none",
    operationId: "getDocs",
    summary: "Browse this API",
    description: "Returns a page that shows the OpenAPI document. It loads nothing from other hosts.",
    tags: ["Operation"],
    responses: { 200: { description: "The page.", content: { "text/html": text("<!doctype html>…") } } },
    errors: [],
  }, serveOnce("text/html; charset=utf-8", () => PAGE));

  const files = [
    { name: "start.js", contentType: "text/javascript; charset=utf-8", read: () => START },
    ...ASSETS.map((asset) => ({ ...asset, read: () => Deno.readFile(assetUrl(asset.name)) })),
  ];
  for (const { name, contentType, read } of files) {
    addRoute(api, {
      method: "get",
      path: `/docs/${name}`,
      role: "none",
      isHidden: true,
      operationId: `getDocs_${name}`,
      summary: "A file of the page",
      responses: { 200: { description: "The file." } },
      errors: [],
    }, serveOnce(contentType, read));
  }
}

function assetUrl(name: string): URL {
  return new URL(import.meta.resolve(`swagger-ui-dist/${name}`));
}

/** Serves a text or file that never changes while the process runs; read at the first request and kept. */
function serveOnce(
  contentType: string,
  read: () => string | Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
) {
  let content: string | Uint8Array<ArrayBuffer> | undefined;
  return async (c: Context) => {
    content ??= await read();
    return c.body(content, 200, { "Content-Type": contentType, ...CACHED });
  };
}
