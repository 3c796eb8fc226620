import type { Choice, Rule } from "../../src/policy/document.ts";
import { getPolicy, putPolicy } from "../../src/policy/policies.ts";
import { among } from "../support/policies.ts";
import { type Outcome, outcomeOfSeveral } from "./journal.ts";
import type { World } from "./world.ts";

/** Trainers of an experiment's rules. Those of `limited` and `waiting` have a capacity; those of `leaving` leave some day. */
export interface Trainers {
  team: string[];
  limited: string[];
  waiting: string[];
  leaving: string[];
}

/** More clients than any experiment brings to one trainer of its rules. Each free seat is a row. */
export const ROOM_FOR_ALL = 30_000;

/** How many clients each of the trainers with a capacity takes. */
export interface Capacities {
  limited: number;
  waiting: number;
}

/** Adds trainers, sets their capacities and writes the first rules: by the first digit of a member's id. */
export async function bringRules(world: World, capacities: Capacities): Promise<Trainers> {
  const { sql, journal, random } = world;
  await sql`alter table public.members add segment text generated always as (left(id::text, 1)) stored`;
  const ids = Array.from({ length: 7 }, random.uuid);
  await journal.record("signup", ids, async () => {
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  const trainers = {
    team: ids.slice(0, 2),
    limited: ids.slice(2, 4),
    waiting: ids.slice(4, 5),
    leaving: ids.slice(5),
  };
  for (const kind of ["limited", "waiting"] as const) {
    for (const id of trainers[kind]) {
      requireDone(await setCapacity(world, id, capacities[kind]), `a capacity of ${capacities[kind]}`);
    }
  }
  requireDone(await writeRules(world, trainers), "the first rules");
  return trainers;
}

/** The journal records what fails, and goes on: without its set-up an experiment would show less than it says. */
function requireDone(outcome: Outcome, what: string): void {
  if (outcome !== "acknowledged") throw new Error(`${what}: ${outcome}`);
}

/** Sets how many clients a trainer takes. */
export async function setCapacity(
  { sql, journal }: World,
  trainerId: string,
  capacity: number,
): Promise<Outcome> {
  return await journal.record("trainer", [trainerId], async ({ actor, requestId }) => {
    await sql`
      select assignment.change_trainer(
        ${trainerId}, jsonb_build_object('capacity', ${capacity}::integer), ${actor}, ${requestId}
      )
    `;
  });
}

/**
 * Writes the next version: the same rules, other names and weights, and for the team every second time other members.
 * Nobody else may write one meanwhile.
 * @param options.haveLeft no rule names those who are to leave any more
 */
export async function writeRules(
  { sql, journal, trainerId }: World,
  trainers: Trainers,
  { haveLeft = false } = {},
): Promise<Outcome> {
  const version = (await getPolicy(sql)).version + 1;
  const rule = (name: string, segments: string, assign: Choice): Rule => ({
    name: `${name}, version ${version}`,
    when: { field: "segment", op: "in", value: [...segments] },
    assign,
  });
  const weighted = trainers.limited.map((id, at) => ({ trainerId: id, weight: at === 0 ? version : 1 }));
  const rules = [
    rule("left alone", "f", { choose: "nobody" }),
    rule("team", version % 2 === 0 ? "01" : "0c", among("all", trainers.team)),
    rule("first choice", "2345", { choose: "spread", trainers: weighted, whenFull: "next" }),
    rule("second choice", "4567", among("most_room", trainers.team)),
    rule("waits", "8", among("spread", trainers.waiting, "wait")),
    ...haveLeft ? [] : [rule("leaving", "9ab", among("spread", trainers.leaving))],
  ];
  const document = { defaultTrainerId: trainerId, respectsOtherTrainers: false, rules };
  return await journal.record(
    "policy",
    [String(version)],
    (by) => outcomeOfSeveral(putPolicy(sql, document, by)),
  );
}
