import { z } from "@hono/zod-openapi";
import { byId, findMembers, type Member } from "../../assignments/member_lookup.ts";
import {
  changeTrainer,
  getTrainer,
  listTrainers,
  type Trainer as TrainerShape,
} from "../../policy/trainers.ts";
import { actorOf, logChange } from "../audit.ts";
import { MemberEmail, MemberName } from "../names.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { SearchText } from "./member_search.ts";
import { EXAMPLE, json, LINK_HEADER, Notes, Time, TrainerId } from "../schemas.ts";

const MAX_CAPACITY = 100_000;

const Capacity = z.int().min(0).max(MAX_CAPACITY).nullable().openapi({
  description: "The most active clients that are assigned automatically. Null: no limit.",
  example: 40,
});
const AcceptsClients = z.boolean().openapi({
  description: "False: nobody is assigned automatically, whatever the room.",
  example: true,
});
const Note = Notes.nullable().openapi({ description: "For admins.", example: "on leave until May" });

const Trainer = z.object(
  {
    trainerId: TrainerId,
    name: MemberName,
    email: MemberEmail,
    clients: z.int().min(0).openapi({ description: "Active clients.", example: 38 }),
    capacity: Capacity,
    room: z.int().min(0).nullable().openapi({
      description:
        "Free places: `capacity` minus `clients`, 0 if there are more clients than that. Null: no limit.",
      example: 2,
    }),
    acceptsClients: AcceptsClients,
    note: Note,
    updatedAt: Time.nullable().openapi({ description: "When the settings last changed. Null: never." }),
    updatedBy: z.string().nullable().openapi({ description: "Who changed them.", example: "ops" }),
  } satisfies Record<keyof TrainerShape | "name" | "email", z.ZodType>,
).openapi("Trainer");

const TrainerChange = z.strictObject({
  capacity: Capacity.optional(),
  acceptsClients: AcceptsClients.optional(),
  note: Note.optional(),
}).openapi("TrainerChange");

const TrainerPage = z.object({ trainers: z.array(Trainer), next: z.string().nullable() }).openapi(
  "TrainerPage",
);

const TRAINER_EXAMPLE = {
  trainerId: EXAMPLE.trainerId,
  name: "Anna Berg",
  email: "anna@example.com",
  clients: 38,
  capacity: 40,
  room: 2,
  acceptsClients: true,
  note: null,
  updatedAt: EXAMPLE.time,
  updatedBy: "ops",
};

const params = z.strictObject({ trainerId: TrainerId });

function withName(trainer: TrainerShape, member: Member | undefined) {
  return { ...trainer, name: member?.name ?? null, email: member?.email ?? null };
}

/** Trainers: how many clients they have, and how many more they take. */
export function addTrainerSettingsRoutes(api: Api): void {
  const { sql, log } = api.services;
  const withNames = async (trainers: TrainerShape[]) => {
    const members = byId(await findMembers(api.services, trainers.map(({ trainerId }) => trainerId)));
    return trainers.map((trainer) => withName(trainer, members.get(trainer.trainerId)));
  };
  const nameOne = async (trainer: TrainerShape) => {
    const [member] = await findMembers(api.services, [trainer.trainerId]);
    return withName(trainer, member);
  };
  const readTrainer = async (trainerId: string) => await nameOne(await getTrainer(sql, trainerId));

  addRoute(api, {
    method: "get",
    path: "/v1/trainers",
    role: "viewer",
    operationId: "listTrainers",
    summary: "List trainers with their clients and room",
    description:
      "Returns members who have or had clients, whom the policy in force names, or who have a capacity or a note; ordered by " +
      "id, in pages. With `search` only those whose name, e-mail or id matches; all of them are searched.",
    tags: ["Trainers"],
    request: { query: z.strictObject({ search: SearchText.optional(), ...PAGE_QUERY }) },
    responses: {
      200: {
        description: "The trainers.",
        headers: LINK_HEADER,
        content: json(TrainerPage, { trainers: [TRAINER_EXAMPLE], next: null }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { search, limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: search === undefined ? "trainers" : `trainers/${search}`,
      limit,
      cursor,
      read: (page) => listTrainers(api.services, page, search),
      idOf: ({ trainerId }) => trainerId,
    });
    return c.json({ trainers: await withNames(rows), next }, 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/trainers/{trainerId}",
    role: "viewer",
    operationId: "getTrainer",
    summary: "Get a trainer's clients and room",
    description:
      "Every member can be a trainer: one without clients and settings has no limit and accepts clients.",
    tags: ["Trainers"],
    request: { params },
    responses: { 200: { description: "The trainer.", content: json(Trainer, TRAINER_EXAMPLE) } },
    errors: ["trainer_not_found"],
  }, async (c) => c.json(await readTrainer(c.req.valid("param").trainerId), 200));

  addRoute(api, {
    method: "patch",
    path: "/v1/trainers/{trainerId}",
    role: "admin",
    operationId: "changeTrainer",
    summary: "Change how many clients a trainer takes",
    description:
      "Changes the settings that the body contains; the others stay. Clients beyond a lowered capacity stay. When the trainer " +
      "gets room, members who wait for it are tried again at once. The capacity limits signups, backfills and retries; an " +
      "admin can go beyond it with `force`.",
    tags: ["Trainers"],
    request: {
      params,
      body: { required: true, content: json(TrainerChange, { capacity: 40, note: "part-time" }) },
    },
    responses: { 200: { description: "The trainer as changed.", content: json(Trainer, TRAINER_EXAMPLE) } },
    errors: ["trainer_not_found"],
  }, async (c) => {
    const { trainerId } = c.req.valid("param");
    const { capacity, acceptsClients, note } = c.req.valid("json");
    const given = { capacity, acceptsClients, note };
    const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    if (Object.keys(change).length === 0) return c.json(await readTrainer(trainerId), 200);
    const trainer = await changeTrainer(sql, trainerId, change, actorOf(c));
    logChange(log, actorOf(c), "trainer_changed", { trainerId });
    return c.json(await nameOne(trainer), 200);
  });
}
