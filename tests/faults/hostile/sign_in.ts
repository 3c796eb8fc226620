import { type Service, TOKEN } from "../service.ts";

/** Signs in to the admin page with the admin's token; the cookie, as a browser sends it. */
export async function signIn(service: Pick<Service, "url">, token: string = TOKEN): Promise<string> {
  const response = await fetch(`${service.url}/admin/login`, {
    method: "POST",
    redirect: "manual",
    headers: { "Sec-Fetch-Site": "same-origin" },
    body: new URLSearchParams({ token }),
  });
  await response.body?.cancel();
  const [cookie] = response.headers.getSetCookie();
  if (cookie === undefined) throw new Error(`signing in answers ${response.status}`);
  return cookie.split(";")[0] ?? "";
}
