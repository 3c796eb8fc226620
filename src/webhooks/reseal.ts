import type { Sql } from "../database/sql.ts";
import { isSealedUnderFirst, open, seal } from "./key.ts";

/** What came of sealing secrets anew. */
export interface Resealed {
  resealed: number;
  /** Why secrets cannot be opened: their key is not configured, or they were altered. */
  problems: unknown[];
}

/**
 * Seals under the first key what another one sealed, of all endpoints, disabled ones too: the other keys can then be
 * taken out of `WEBHOOK_KEY`.
 */
export async function resealSecrets(sql: Sql, keys: readonly Uint8Array[]): Promise<Resealed> {
  const found = await sql<{ id: string; sealed: string }[]>`
    select e.id, s.sealed
    from assignment.webhook_endpoints e
    cross join unnest(array[e.secret, e.former_secret]) as s (sealed)
    where s.sealed is not null
    order by e.id
  `;
  const problems: unknown[] = [];
  let resealed = 0;
  for (const { id, sealed } of found) {
    if (isSealedUnderFirst(keys, sealed)) continue;
    let secret;
    try {
      secret = await open(keys, id, sealed);
    } catch (error) {
      problems.push(error);
      continue;
    }
    await sql`select assignment.reseal_secret(${id}, ${sealed}, ${await seal(keys, id, secret)})`;
    resealed += 1;
  }
  return { resealed, problems };
}
