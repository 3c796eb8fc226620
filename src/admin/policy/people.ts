import { findMembers, type Member } from "../../assignments/member_lookup.ts";
import type { Sql } from "../../database/sql.ts";
import type { PolicyDocument, Rule } from "../../policy/document.ts";
import { findRoom, listTrainerIds, type Room } from "../../policy/trainers.ts";

/** The trainers whom sentences name, by id. */
export type People = Map<string, Person>;

/** A trainer, with what they can take. */
export interface Person {
  id: string;
  /** Undefined if they are not a member. */
  member: Member | undefined;
  room: Room | undefined;
}

const MAX_OFFERED = 200;

/** Finds the trainers that policies name. */
export async function findPeople(sql: Sql, policies: readonly PolicyDocument[]): Promise<People> {
  return await findTrainers(sql, policies.flatMap(trainersOf));
}

/** Finds trainers by their ids. */
export async function findTrainers(sql: Sql, trainerIds: readonly string[]): Promise<People> {
  const ids = [...new Set(trainerIds)];
  const [members, rooms] = await Promise.all([findMembers(sql, ids), findRoom(sql, ids)]);
  const memberOf = new Map(members.map((member) => [member.id, member]));
  const roomOf = new Map(rooms.map((room) => [room.trainerId, room]));
  return new Map(ids.map((id) => [id, { id, member: memberOf.get(id), room: roomOf.get(id) }]));
}

/** Lists up to 200 trainers to pick from, by name. */
export async function listPickable(sql: Sql): Promise<Person[]> {
  const people = await findTrainers(sql, await listTrainerIds(sql, MAX_OFFERED));
  return [...people.values()].filter(({ member }) => member !== undefined)
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other), "en"));
}

/** Returns a trainer's name, or else their e-mail or id. */
export function nameOf({ id, member }: Pick<Person, "id" | "member">): string {
  return member?.displayName || member?.email || id;
}

/** Says what a trainer can take: `room for 12 of 30`. */
export function roomInWords(room: Room | undefined): string {
  if (room?.acceptsClients === false) return "paused";
  if (room === undefined || room.capacity === null) return "no limit";
  return `room for ${room.room} of ${room.capacity}`;
}

function trainersOf({ defaultTrainerId, rules }: PolicyDocument): string[] {
  return [...(defaultTrainerId === null ? [] : [defaultTrainerId]), ...rules.flatMap(trainersOfRule)];
}

function trainersOfRule({ assign }: Rule): string[] {
  return "trainers" in assign ? assign.trainers.map(({ trainerId }) => trainerId) : [];
}
