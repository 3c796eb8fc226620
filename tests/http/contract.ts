import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { z } from "zod";

const MediaTypes = z.record(z.string(), z.looseObject({ schema: z.looseObject({}) }));
const Operation = z.looseObject({
  operationId: z.string(),
  requestBody: z.looseObject({ content: MediaTypes }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: MediaTypes.optional() })),
});

/** The part of an OpenAPI document that tests look at. */
export const ContractDocument = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
});

/** Holds answers against the OpenAPI document: is every status, media type and JSON body as it is documented? */
export class Contract {
  readonly #document: z.infer<typeof ContractDocument>;
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: unknown) {
    this.#document = ContractDocument.parse(document);
    this.#ajv.addSchema({ $id: "openapi", components: this.#document.components });
  }

  /** Tells in what an answer is not as documented; undefined when it is, or when nothing is served at the path. */
  async deviation(method: string, path: string, response: Response): Promise<string | undefined> {
    const operation = this.#find(method, new URL(path, "http://localhost").pathname);
    if (operation === undefined) return undefined;
    const place = `${operation.operationId} ${response.status}`;
    const documented = operation.responses[String(response.status)];
    if (documented === undefined) return `${place} is not documented`;
    const mediaType = response.headers.get("Content-Type")?.split(";")[0];
    if (mediaType === undefined || method === "HEAD") return undefined;
    const content = documented.content?.[mediaType];
    if (content === undefined) return `${place} is not documented as ${mediaType}`;
    if (!/[/+]json$/.test(mediaType)) return undefined; // NDJSON is text
    return this.mismatch(content.schema, await response.clone().json(), place);
  }

  /** Tells in what a value does not fit a schema of the document. */
  mismatch(schema: Record<string, unknown>, value: unknown, place: string): string | undefined {
    const pointed = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
    const validate = this.#compiled.get(pointed) ?? this.#ajv.compile(JSON.parse(pointed));
    this.#compiled.set(pointed, validate);
    return validate(value) ? undefined : `${place}: ${this.#ajv.errorsText(validate.errors)}`;
  }

  #find(method: string, path: string): z.infer<typeof Operation> | undefined {
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    const found = Object.entries(this.#document.paths).find(([template, operations]) =>
      verb in operations && new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path)
    );
    return found?.[1][verb];
  }
}
