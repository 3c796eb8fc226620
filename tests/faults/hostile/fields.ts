import { latin1 } from "./odd_values.ts";
import type { HeaderLine, HostileRequest } from "./request.ts";

/** A place in a request that takes a caller's text. */
export interface Field {
  name: string;
  put(text: string): HostileRequest;
}

export interface Credentials {
  authorization: string;
  cookie: string;
  trainerId: string;
}

/** Every place that takes a text: paths, queries, bodies, headers, forms. */
export function textFields({ authorization, cookie, trainerId }: Credentials): Field[] {
  const bearer: HeaderLine = ["Authorization", authorization];
  const session: HeaderLine[] = [["Cookie", cookie], ["Sec-Fetch-Site", "same-origin"]];
  const request = (method: string, target: string, headers: HeaderLine[], body = ""): HostileRequest => ({
    method,
    target,
    version: "HTTP/1.1",
    headers: [["Host", "localhost"], ...headers],
    body,
    framing: "length",
  });
  const inAddress = (text: string) =>
    latin1(text).replaceAll(
      /[^A-Za-z0-9._~-]/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  // what ends a header would make another one of the rest
  const inHeader = (text: string) => latin1(text).replaceAll(/[\r\n\0]/g, " ");

  const path = (name: string, method: string, address: (text: string) => string): Field => ({
    name: `path of ${name}`,
    put: (text) => request(method, address(inAddress(text)), [bearer]),
  });
  const query = (target: string, name: string): Field => ({
    name: `${name} of ${target}`,
    put: (text) => request("GET", `${target}?${name}=${inAddress(text)}`, [bearer]),
  });
  const pageQuery = (target: string, name: string): Field => ({
    name: `${name} of ${target}`,
    put: (text) => request("GET", `${target}?${name}=${inAddress(text)}`, session),
  });
  const json = (method: string, target: string, name: string, value: (text: string) => unknown): Field => ({
    name: `${name} of ${target}`,
    put: (text) =>
      request(
        method,
        target,
        [bearer, ["Content-Type", "application/json"], ["If-Match", "*"]],
        latin1(JSON.stringify(value(text))),
      ),
  });
  const form = (target: string, name: string): Field => ({
    name: `${name} of ${target}`,
    put: (text) =>
      request(
        "POST",
        target,
        [...session, ["Content-Type", "application/x-www-form-urlencoded"]],
        `trainerId=${trainerId}&${name}=${inAddress(text)}`,
      ),
  });
  const header = (
    name: string,
    target = "/v1/policy",
    prefix = "",
    others: HeaderLine[] = [bearer],
  ): Field => ({
    name: `${prefix}${name} of ${target}`,
    put: (text) => request("GET", target, [...others, [name, prefix + inHeader(text)]]),
  });
  const clients = `/v1/trainers/${trainerId}/clients`;
  const pages = "/admin/trainer-assignment";

  return [
    path("members", "GET", (text) => `/v1/members/${text}/assignment`),
    path("clients", "GET", (text) => `/v1/trainers/${text}/clients`),
    path("a client", "PUT", (text) => `${clients}/${text}`),
    path("runs", "GET", (text) => `/v1/backfills/${text}`),
    path("run events", "GET", (text) => `/v1/backfills/${text}/events`),
    path("nothing", "GET", (text) => `/${text}`),
    path("a page", "GET", (text) => `${pages}/runs/${text}`),
    path("a file", "GET", (text) => `/admin/static/${text}/admin.js`),
    query(clients, "limit"),
    query(clients, "cursor"),
    query(clients, "status"),
    query(clients, "names"),
    query("/v1/members", "search"),
    query("/v1/trainers", "search"),
    pageQuery(`${pages}/members`, "q"),
    pageQuery(`${pages}/trainers`, "q"),
    pageQuery(`${pages}/people`, "name=trainer&text"),
    pageQuery(`${pages}/default-trainer`, "trainer"),
    query("/v1/backfills", "nonsense"),
    query(`/v1/members/${trainerId}/assignment`, "trainerId"),
    json("PUT", `${clients}/${trainerId}`, "notes", (text) => ({ notes: text })),
    json("PUT", `${clients}/${trainerId}`, "a key", (text) => ({ [text]: 1 })),
    json("POST", "/v1/assignments/check", "memberIds", (text) => ({ memberIds: [text] })),
    json(
      "POST",
      "/v1/assignments/check",
      "trainerId",
      (text) => ({ memberIds: [trainerId], trainerId: text }),
    ),
    json("PUT", "/v1/policy", "defaultTrainerId", (text) => ({ defaultTrainerId: text })),
    json("PUT", "/v1/policy", "rules", (text) => ({
      defaultTrainerId: trainerId,
      rules: [{ name: text, when: { field: text, op: "eq", value: text }, assign: { choose: text } }],
    })),
    json("POST", "/v1/backfills", "batchRows", (text) => ({ batchRows: text })),
    json("PUT", `${clients}/${trainerId}`, "force", (text) => ({ force: text })),
    json("PATCH", `/v1/trainers/${trainerId}`, "capacity", (text) => ({ capacity: text })),
    json("PATCH", `/v1/trainers/${trainerId}`, "note", (text) => ({ note: text })),
    json("POST", "/v1/transfers", "fromTrainerId", (text) => ({ fromTrainerId: text })),
    // From a trainer to themselves: whatever is taken, nobody is moved.
    ...Object.entries({
      memberIds: (text: string) => ({ memberIds: [text] }),
      notes: (text: string) => ({ notes: text }),
      "condition's field": (text: string) => ({ condition: { field: text, op: "eq", value: text } }),
      "condition's value": (text: string) => ({
        condition: { field: "display_name", op: "in", value: [text] },
      }),
    }).map(([name, part]) =>
      json("POST", "/v1/transfers", name, (text) => ({
        fromTrainerId: trainerId,
        trainerId,
        ...part(text),
      }))
    ),
    query("/v1/audit", "actor"),
    query("/v1/audit", "member"),
    query("/v1/audit", "cursor"),
    header("Authorization", "/v1/policy", "Bearer ", []),
    header("Authorization", "/v1/policy", "Basic ", []),
    header("Cookie", "/v1/policy", "", []),
    header("Cookie", pages, "trainer_assignment_session=", []),
    header("Accept", clients),
    header("Content-Type"),
    header("If-None-Match"),
    header("X-Request-Id"),
    header("Accept-Encoding"),
    header("X-Forwarded-Proto", pages, "", session),
    header("X-Forwarded-For", "/admin/login", "", session),
    header("Origin", pages, "", [["Cookie", cookie]]),
    header("Referer", pages, "", session),
    header("Traceparent"),
    form("/admin/login", "token"),
    form("/admin/login", "next"),
    form(`${pages}/runs`, "batchRows"),
    form(`${pages}/members/${trainerId}/assign`, "notes"),
    form(`${pages}/trainers/${trainerId}/move`, "notes"),
    form(`${pages}/trainers/${trainerId}/move`, "newField"),
    {
      name: `next of /admin/login`,
      put: (text) => request("GET", `/admin/login?next=${inAddress(text)}`, []),
    },
  ];
}
