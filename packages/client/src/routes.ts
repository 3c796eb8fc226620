import { type Operations, ROUTES } from "./operations.ts";
import type { ApiRequest } from "./request.ts";

/** What an operation takes: path, query, body and `If-Match` in one. */
export type Input<Id extends keyof Operations> = WithVersion<Operations[Id]["input"]>;

/** `If-Match` is the version that was changed, its `ETag`, or `*` for any. */
type WithVersion<In> = In extends { ifMatch: string } ? Omit<In, "ifMatch"> & { ifMatch: number | string }
  : In;

/** What an operation returns; null for an empty answer. */
export type Answer<Id extends keyof Operations> = Operations[Id]["answer"];

/**
 * Further idempotent operations, in addition to reads and `PUT`. Status changes and `DELETE` are not repeated:
 * if only the reply was lost, the second try would be refused because of the first.
 */
const REPEATABLE_POSTS: readonly (keyof Operations)[] = ["checkAssignments", "previewPolicy"];

/** Operations that may work for as long as the service lets them. */
const HEAVY: readonly (keyof Operations)[] = ["previewPolicy"];

interface Route {
  method: string;
  path: string;
  type: string;
  answers: readonly number[];
  hasBody: boolean;
  /** Names that go into the query although there is a body. */
  query?: readonly string[];
  /** Headers by the input's names. */
  headers?: Readonly<Record<string, string>>;
}

/** Makes an operation's request: what nothing else names is the body, or the query where it has no body. */
export function toRequest<Answer>(
  id: keyof Operations,
  input: Readonly<Record<string, unknown>>,
  read: (response: Response) => Promise<Answer>,
): ApiRequest<Answer> {
  const route: Route = ROUTES[id];
  const { method, path, type, answers, hasBody, headers: headerNames = {} } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const others = Object.entries(input).filter(([name, value]) =>
    !inPath.includes(name) && !Object.hasOwn(headerNames, name) && value !== undefined
  );
  const isInQuery = (name: string) => hasBody ? route.query?.includes(name) === true : true;
  const query = new URLSearchParams(
    others.filter(([name]) => isInQuery(name)).map(([name, value]) => [name, String(value)]),
  );
  const body = others.filter(([name]) => !isInQuery(name));
  const headers = Object.entries(headerNames).filter(([name]) => input[name] !== undefined)
    .map(([name, header]) => [header, toHeader(input[name])]);
  const filledPath = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(input[name])));
  return {
    method,
    path: query.size === 0 ? filledPath : `${filledPath}?${query}`,
    type,
    answers,
    headers: Object.fromEntries(headers),
    body: hasBody ? JSON.stringify(Object.fromEntries(body)) : undefined,
    isIdempotent: method === "GET" || method === "PUT" || REPEATABLE_POSTS.includes(id),
    isHeavy: HEAVY.includes(id),
    read,
  };
}

/** A number is a version: its `ETag` is in double quotes. */
function toHeader(value: unknown): string {
  return typeof value === "number" ? `"${value}"` : String(value);
}
