import { z } from "zod";
import type { Report } from "./experiment.ts";
import { endAssignment } from "./load.ts";
import type { Service } from "./service.ts";
import type { World } from "./world.ts";

/** A member and the answer that a check of them has to give. */
export interface KnownMember {
  id: string;
  assigned: boolean;
}

/** Members about whom nothing changes any more: who signed up, and whose assignment was ended since. */
export async function addKnownMembers({ sql, journal, random, trainerId }: World): Promise<KnownMember[]> {
  const ids = Array.from({ length: 20 }, random.uuid);
  await journal.record("signup", ids, async () => {
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  const known: KnownMember[] = [];
  for (const [at, id] of ids.entries()) {
    const ended = at % 3 === 0;
    if (ended) await endAssignment(sql, journal, id, trainerId);
    known.push({ id, assigned: !ended });
  }
  return known;
}

const checkSchema = z.object({ memberId: z.string(), assigned: z.boolean() });

/** Checks one known member after the other, and holds each answer against what is known. */
export function checkInTurn(
  service: Service,
  known: readonly KnownMember[],
  report: Report,
): () => Promise<Response> {
  let turn = 0;
  return async () => {
    const member = known[turn++ % known.length];
    const response = await service.call(`GET /v1/members/${member?.id}/assignment`);
    if (response.status === 200) {
      const { memberId, assigned } = checkSchema.parse(await response.clone().json());
      const isRight = memberId === member?.id && assigned === member.assigned;
      report.expect(isRight, "no check answers wrong", `${memberId}: ${assigned}`);
    }
    return response;
  };
}
