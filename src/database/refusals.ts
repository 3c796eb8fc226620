const RIGHTS = "docs/adopting.md says which role needs which rights";

/**
 * Says what an operator can do about an error of the server; null if its message is enough.
 * @param code the SQLSTATE: sign-in refused (28), no such database (3D), no privilege (42501)
 */
export function findRemedy({ code, message }: { code?: string; message: string }): string | null {
  if (code !== undefined && /^(28|3D)/.test(code)) return "correct DATABASE_URL";
  // dbmate passes on the message alone. A message in another language gets no advice.
  const lacksRights = code === undefined
    ? /^(permission denied for|must be owner of) /.test(message)
    : code === "42501";
  return lacksRights ? RIGHTS : null;
}
