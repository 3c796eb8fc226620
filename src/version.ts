import config from "../deno.json" with { type: "json" };

/** The version of this program: semantic, as in the changelog. What it promises says docs/upgrading.md. */
export const VERSION: string = config.version;
