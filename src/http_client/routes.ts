import { type Operations, ROUTES } from "./operations.ts";
import type { ApiRequest } from "./request.ts";

/** What an operation takes: path, query and body in one. */
export type Input<Id extends keyof Operations> = Operations[Id]["input"];

/** What an operation returns; null for an empty answer. */
export type Answer<Id extends keyof Operations> = Operations[Id]["answer"];

/**
 * Further idempotent operations, in addition to reads and `PUT`. Status changes and `DELETE` are not repeated:
 * if only the reply was lost, the second try would be refused because of the first.
 */
const REPEATABLE_POSTS: readonly (keyof Operations)[] = ["checkAssignments"];

/** Makes an operation's request: what its path does not name is the body, or the query where it has no body. */
export function toRequest<Answer>(
  id: keyof Operations,
  input: Readonly<Record<string, unknown>>,
  read: (response: Response) => Promise<Answer>,
): ApiRequest<Answer> {
  const { method, path, type, answers, hasBody } = ROUTES[id];
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const others = Object.entries(input).filter(([name, value]) =>
    !inPath.includes(name) && value !== undefined
  );
  const query = new URLSearchParams(others.map(([name, value]) => [name, String(value)]));
  const filledPath = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(input[name])));
  return {
    method,
    path: hasBody || query.size === 0 ? filledPath : `${filledPath}?${query}`,
    type,
    answers,
    body: hasBody ? JSON.stringify(Object.fromEntries(others)) : undefined,
    isIdempotent: method === "GET" || method === "PUT" || REPEATABLE_POSTS.includes(id),
    read,
  };
}
