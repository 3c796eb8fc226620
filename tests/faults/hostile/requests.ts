import fc from "fast-check";
import { encoded, latin1, ODD_IDS, ODD_LIMITS, oddJson, oddText } from "./odd_values.ts";
import type { Operation } from "./operations.ts";
import { FRAMINGS, type HeaderLine, type HostileRequest } from "./request.ts";

/** What a caller has in hand. */
export interface Possessions {
  /** `Bearer …` of an admin and of a service, for the two kinds of credentials. */
  admin: string;
  service: string;
  /** The session of the admin page. */
  cookie: string;
  /** Another session, which requests may sign out. */
  leavingCookie: string;
  /** Ids that mean something, and that no request can harm: of the default trainer, of a run that has ended, of nobody. */
  ids: readonly string[];
  /** Ids of members, for requests that only ask. */
  members: readonly string[];
  /** Cursors that lists have given. */
  cursors: readonly string[];
}

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "get",
  "FOO",
  "G\0T",
];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/9",
  "nonsense",
];

/** Mostly the first, now and then the second. */
function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

/** Makes requests that ask for one of the operations and are wrong, or odd, in some of their parts. */
export function hostileRequests(
  operations: readonly Operation[],
  has: Possessions,
): fc.Arbitrary<HostileRequest> {
  const idFor = ({ method }: Operation) =>
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(...has.ids, ...method === "GET" ? has.members.slice(0, 3) : []),
      },
      { weight: 2, arbitrary: encoded(fc.constantFrom(...ODD_IDS)) },
      { weight: 2, arbitrary: encoded(oddText) },
    );
  const cursor = fc.oneof(fc.constantFrom(...has.cursors), mutated(fc.constantFrom(...has.cursors)), oddText);
  const valueOf = (name: string) =>
    encoded(
      name === "limit"
        ? fc.oneof(fc.constantFrom(...ODD_LIMITS), fc.nat(2_000).map(String), oddText)
        : name === "cursor"
        ? cursor
        : name === "status"
        ? fc.oneof(fc.constantFrom("active", "inactive"), oddText)
        : fc.oneof(fc.constantFrom(...has.ids, ...ODD_IDS), oddText),
    );

  return fc.constantFrom(...operations).chain((operation) =>
    fc.record({
      method: mostly(fc.constant(operation.method), fc.constantFrom(...METHODS)),
      target: targets(operation, idFor(operation), valueOf),
      version: mostly(fc.constant("HTTP/1.1"), fc.constantFrom(...VERSIONS), 20),
      headers: fc.tuple(
        mostly(
          fc.constant("localhost"),
          fc.oneof(fc.constantFrom("a b", "[::", "a:99999", "x?y", ""), oddHeader),
          20,
        )
          .map((host) => [["Host", host] as const]),
        credentials(operation, has),
        operation.body ? contentTypes(operation.body.type) : fc.constant<HeaderLine[]>([]),
        fc.array(oddHeaderLine, { maxLength: 2 }),
      ).map((parts) => parts.flat()),
      body: operation.body
        ? mostly(bodies(operation.body, has), mutated(bodies(operation.body, has)), 3)
        : mostly(fc.constant(""), oddText.map(latin1)),
      framing: mostly(fc.constant("length" as const), fc.constantFrom(...FRAMINGS), 7),
    })
  );
}

function targets(
  { path, query }: Operation,
  id: fc.Arbitrary<string>,
  valueOf: (name: string) => fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const filled = fc.array(id, { minLength: 2, maxLength: 2 }).map((ids) => {
    let next = 0;
    return path.replaceAll(/\{\w+\}/g, () => ids[next++] ?? "");
  });
  const known = query.map((name) =>
    fc.option(valueOf(name).map((value) => `${name}=${value}`), { nil: undefined })
  );
  const unknown = fc.array(encoded(oddText), { maxLength: 2 });
  return fc.tuple(filled, fc.tuple(...known), mostly(fc.constant<string[]>([]), unknown), fc.nat(30)).map(
    ([target, pairs, others, chance]) => {
      const given = [...pairs.filter((pair) => pair !== undefined), ...others];
      if (chance === 0) given.push(...given); // each of them twice
      if (chance === 1) given.push("a=&".repeat(10_000));
      const text = given.length === 0 ? target : `${target}?${given.join("&")}`;
      return chance === 2 ? `http://localhost${text}` : chance === 3 ? text.replaceAll("/", "//") : text;
    },
  );
}

function credentials(
  { credential, path }: Operation,
  { admin, service, cookie: lasting, leavingCookie }: Possessions,
): fc.Arbitrary<readonly HeaderLine[]> {
  const cookie = path === "/admin/logout" ? leavingCookie : lasting;
  const authorized = (value: string): HeaderLine[] => [["Authorization", value]];
  const withCookie = (value: string): HeaderLine[] => [["Cookie", value], ["Sec-Fetch-Site", "same-origin"]];
  const odd = fc.oneof(
    fc.constantFrom(
      [],
      authorized(service),
      [...authorized(admin), ...authorized(service)],
      [["Cookie", cookie] as const],
    ),
    mutated(fc.constant(admin)).map(authorized),
    mutated(fc.constant(cookie)).map(withCookie),
    oddHeader.map((value) => authorized(`Bearer ${value}`)),
    oddHeader.map(withCookie),
  );
  return mostly(fc.constant(credential === "bearer" ? authorized(admin) : withCookie(cookie)), odd, 4);
}

/** A header's value: no line ends in it, for those would only make other headers. */
const oddHeader = oddText.map((text) => latin1(text).replaceAll(/[\r\n]/g, "").slice(0, 3_000));

const oddHeaderLine = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "Accept",
      "X-Request-Id",
      "Last-Event-ID",
      "X-Forwarded-For",
      "X-Forwarded-Proto",
      "Origin",
      "Referer",
      "Accept-Encoding",
      "If-None-Match",
      "Range",
      "Upgrade",
      "Connection",
      "Traceparent",
    ),
    oddHeader,
  ),
  fc.constantFrom(
    ["Accept", "text/csv"] as const,
    ["Accept", "application/x-ndjson"] as const,
    ["Accept", "text/html"] as const,
    ["Accept", `${"a/b;q=0.1,".repeat(500)}*/*;q=0`] as const,
    ["Expect", "100-continue"] as const,
    ["Expect", "nonsense"] as const,
    ["Content-Length", "7"] as const,
    ["Host", "another"] as const,
    ["X-Request-Id", "a".repeat(64)] as const,
    ["Content-Encoding", "gzip"] as const,
    ["X Bad Name", "value"] as const,
    ["X-Folded", "one\r\n two"] as const,
    ["", "no name"] as const,
  ),
);

function contentTypes(type: "json" | "form"): fc.Arbitrary<readonly HeaderLine[]> {
  const right = type === "json" ? "application/json" : "application/x-www-form-urlencoded";
  const odd = fc.oneof(
    fc.constantFrom(
      "text/plain",
      "multipart/form-data; boundary=x",
      "multipart/form-data",
      `${right}; charset=utf-16`,
      `${right}${";a=b".repeat(500)}`,
    ),
    oddHeader,
  );
  const line = (value: string): HeaderLine[] => [["Content-Type", value]];
  return mostly(fc.constant(line(right)), fc.oneof(fc.constant<HeaderLine[]>([]), odd.map(line)));
}

function bodies(
  { type, fields }: { type: "json" | "form"; fields: string[] },
  { ids, members }: Possessions,
): fc.Arbitrary<string> {
  // not in a transfer: a member who took over everybody would do harm
  const onlyAsks = fields.includes("memberIds") && !fields.includes("fromTrainerId");
  const anId = fc.constantFrom(...ids, ...ODD_IDS, ...onlyAsks ? members : []);
  if (type === "form") {
    return fc.array(
      fc.tuple(fc.constantFrom(...fields, "__proto__", "a[b]"), encoded(fc.oneof(anId, oddText))),
      {
        maxLength: 5,
      },
    ).map((pairs) => pairs.map((pair) => pair.join("=")).join("&"));
  }
  const value = fc.oneof(
    anId.map((text) => JSON.stringify(text)),
    fc.array(anId, { maxLength: 20 }).map((list) => JSON.stringify(list)),
    fc.constantFrom("true", "1", "20000", "20001", "null"),
    oddJson,
  );
  const key = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...fields) },
    { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor") },
    { weight: 1, arbitrary: oddText },
  );
  const object = fc.array(fc.tuple(key, value), { maxLength: 5 }).map((pairs) =>
    `{${pairs.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`
  );
  return mostly(object, oddJson, 5).map(latin1);
}

/** Damages a text in a place: a byte changed, added or lost, the rest cut off, a part said twice. */
function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.nat(), fc.nat(255), fc.nat(5)).map(([value, place, byte, how]) => {
    const at = value.length === 0 ? 0 : place % value.length;
    const character = String.fromCharCode(byte);
    switch (how) {
      case 0:
        return value.slice(0, at) + character + value.slice(at + 1);
      case 1:
        return value.slice(0, at) + character + value.slice(at);
      case 2:
        return value.slice(0, at) + value.slice(at + 1);
      case 3:
        return value.slice(0, at);
      case 4:
        return value + value.slice(at);
      default:
        return `\xef\xbb\xbf${value}`; // a byte order mark
    }
  });
}
