const RIGHTS = "docs/adopting.md says which role needs which rights";

/**
 * Says what to do about a refusal of the server, for the person at the terminal; null where its own words are enough.
 * @param code the SQLSTATE: cannot sign in (28), no such database (3D), no right to (42501)
 */
export function findRemedy({ code, message }: { code?: string; message: string }): string | null {
  if (code !== undefined && /^(28|3D)/.test(code)) return "correct DATABASE_URL";
  // dbmate passes on the words alone; in another language than English they stand without advice.
  const lacksRights = code === undefined
    ? /^(permission denied for|must be owner of) /.test(message)
    : code === "42501";
  return lacksRights ? RIGHTS : null;
}
