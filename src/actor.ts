/** Who makes a change, for the rows and for the audit log. */
export interface Actor {
  /** The name of a token or session, `jwt:` or `oidc:` and who it is, `cli:` and a user, or what a program calls itself. */
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
