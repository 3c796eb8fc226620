import type { MemberSource } from "../../assignments/member_columns.ts";
import { byId, findMembers, type Member } from "../../assignments/member_lookup.ts";
import type { PolicyDocument, Rule } from "../../policy/document.ts";
import type { Room } from "../../policy/trainer.ts";
import { findRoom, listTrainerIds } from "../../policy/trainers.ts";

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
export async function findPeople(source: MemberSource, policies: readonly PolicyDocument[]): Promise<People> {
  return await findTrainers(source, policies.flatMap(trainersOf));
}

/** Finds trainers by their ids. */
export async function findTrainers(source: MemberSource, trainerIds: readonly string[]): Promise<People> {
  const ids = [...new Set(trainerIds)];
  const [members, rooms] = await Promise.all([findMembers(source, ids), findRoom(source.sql, ids)]);
  const memberOf = byId(members);
  const roomOf = new Map(rooms.map((room) => [room.trainerId, room]));
  return new Map(ids.map((id) => [id, { id, member: memberOf.get(id), room: roomOf.get(id) }]));
}

/** Lists up to 200 trainers to pick from, by name. */
export async function listPickable(source: MemberSource): Promise<Person[]> {
  const people = await findTrainers(source, await listTrainerIds(source.sql, MAX_OFFERED));
  return [...people.values()].filter(({ member }) => member !== undefined)
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other), "en"));
}

/** Returns a trainer's name, or else their e-mail or id. */
export function nameOf({ id, member }: Pick<Person, "id" | "member">): string {
  return member?.name || member?.email || id;
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
