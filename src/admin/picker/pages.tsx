import type { Pages } from "../frame/pages.ts";
import { suggestPeople } from "./found_people.ts";
import { Found } from "./member_picker.tsx";
import { cleanSearch } from "./read_pick.ts";

const FIELD_NAME = /^[A-Za-z]{1,40}$/;

/** Adds what a picker's script asks for: the people found for a text, as a part of a page. */
export function addPickerPages({ app, services }: Pages): void {
  app.get("/trainer-assignment/people", async (c) => {
    const text = cleanSearch(c.req.query("text") ?? "");
    const name = c.req.query("name") ?? "";
    if (text === "" || !FIELD_NAME.test(name)) return c.body(null, 204);
    return await c.html(<Found name={name} state={{ text, found: await suggestPeople(services, text) }} />);
  });
}
