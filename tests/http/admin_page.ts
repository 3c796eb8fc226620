import { type TestService, TOKENS } from "./test_service.ts";

/** Where the admin page is. */
export const HOME = "/admin/trainer-assignment";

/** Asks for something as a browser does that has this cookie. */
export async function get(service: TestService, path: string, cookie: string): Promise<Response> {
  return await service.app.request(path, { headers: { cookie } });
}

/** Sends a form as a browser does from a page of ours. */
export async function post(
  service: TestService,
  path: string,
  cookie: string,
  form: Record<string, string> = {},
): Promise<Response> {
  return await service.app.request(path, {
    method: "POST",
    headers: { cookie, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(form),
  });
}

/** Signs in with a token, by default the admin's; the cookie, as a browser sends it. */
export async function signIn(service: TestService, as: keyof typeof TOKENS = "admin"): Promise<string> {
  const response = await post(service, "/admin/login", "", { token: TOKENS[as] });
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}
