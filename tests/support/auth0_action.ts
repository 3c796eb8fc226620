/** What docs/webhooks.md has Auth0 do after a registration. */
export type Action = (
  event: { user: Record<string, string>; secrets: Record<string, string> },
  fetch: (url: string, init: { headers: Record<string, string>; body: string }) => Promise<Response>,
) => Promise<void>;

/** The action's code as the documentation has it, with a `fetch` that sends nothing. */
export async function readAction(): Promise<Action> {
  const text = await Deno.readTextFile(new URL("../../docs/webhooks.md", import.meta.url));
  const [, code = ""] = /```js auth0\n([^]*?)```/.exec(text) ?? [];
  const { createRequire } = await import("node:module");
  const exports: { onExecutePostUserRegistration?: (event: unknown) => Promise<void> } = {};
  const make = new Function("exports", "require", "fetch", code);
  return async (event, fetch) => {
    make(exports, createRequire(import.meta.url), fetch);
    await exports.onExecutePostUserRegistration?.(event);
  };
}
