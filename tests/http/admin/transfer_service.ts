import { assignClientToTrainer } from "../../../src/assignments/assign.ts";
import { newId } from "../../support/assignments.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { findForms } from "../crawl.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

/** An answer of the admin page to a form. */
export interface Sent {
  status: number;
  html: string;
  text: string;
  location: string | null;
}

/** A service with a trainer, Anna, whose clients an admin moves on the admin page. */
export interface TransferService extends TestService {
  /** The admin's. */
  cookie: string;
  anna: string;
  ben: string;
  /** Anna's: One, Two and Three. */
  clients: string[];
  /** Where Anna's clients are moved. */
  movePath: string;
  /** Reads the text of a page. */
  textAt(path: string): Promise<string>;
  /** Sends the form as a browser does, with fields that occur several times. */
  send(fields: [string, string][], path?: string): Promise<Sent>;
  /** Presses a button of the preview. */
  press(html: string, verb: string): Promise<Sent>;
}

export async function transferService(): Promise<TransferService> {
  const service = await testService();
  const cookie = await signIn(service);
  await service.sql`alter table public.members add column plan text`;

  async function addMember(name: string): Promise<string> {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, ${name})`;
    return id;
  }

  async function addClient(name: string): Promise<string> {
    const id = await addMember(name);
    await service.sql`delete from public.trainer_client_assignments where client_id = ${id}`;
    await assignClientToTrainer(service.sql, id, { trainerId: anna, notes: "knee" });
    return id;
  }

  const [anna, ben] = [await addMember("Anna"), await addMember("Ben")];
  await service.sql`delete from public.trainer_client_assignments`;
  const clients: string[] = [];
  for (const name of ["One", "Two", "Three"]) clients.push(await addClient(name));
  const movePath = `${HOME}/trainers/${anna}/move`;

  async function send(fields: [string, string][], path = movePath): Promise<Sent> {
    const response = await service.app.request(path, {
      method: "POST",
      headers: { cookie, "sec-fetch-site": "same-origin" },
      body: new URLSearchParams(fields),
    });
    const html = await response.text();
    return {
      status: response.status,
      html,
      text: textOfPage(html),
      location: response.headers.get("location"),
    };
  }

  return {
    ...service,
    cookie,
    anna,
    ben,
    clients,
    movePath,
    textAt: async (path) => textOfPage(await (await get(service, path, cookie)).text()),
    send,
    async press(html, verb) {
      const [form] = findForms(html).filter(({ action }) => action.endsWith("/transfers"));
      return await send([["plan", form?.fields["plan"] ?? ""], ["do", verb]], form?.action);
    },
  };
}
