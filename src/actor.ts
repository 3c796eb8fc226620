/** Every form that the name of an actor can have, for the descriptions of the API. */
export const ACTOR_FORMS =
  "a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database " +
  "role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy";

/** Who makes a change, for the rows and for the audit log. */
export interface Actor {
  /** One of {@link ACTOR_FORMS}. */
  actor: string;
  /** The id of the HTTP request, as in the log. */
  requestId?: string | undefined;
}

/** Who makes a change; a name alone says it too. */
export type By = Actor | string;

/** Returns a name with what goes with it. */
export function toActor(by: By): { actor: string; requestId: string | null } {
  return typeof by === "string"
    ? { actor: by, requestId: null }
    : { actor: by.actor, requestId: by.requestId ?? null };
}
