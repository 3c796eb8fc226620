// The check and the list with Fastify and pg: schemas for input and output, nothing logged.
// Environment: DATABASE_URL, TOKEN. Prints its address.
import Fastify from "fastify";
import { isAuthorized, listClients, readAssignment } from "./shared.js";

const uuid = { type: "string", format: "uuid" };
const time = { type: "string", format: "date-time" };
const text = { type: "string", nullable: true };
const number = { type: "integer", nullable: true };

const checkSchema = {
  params: { type: "object", properties: { memberId: uuid }, required: ["memberId"] },
  querystring: { type: "object", properties: { trainerId: uuid }, additionalProperties: false },
  response: {
    200: {
      type: "object",
      properties: {
        memberId: uuid,
        trainerId: uuid,
        assigned: { type: "boolean" },
        assignment: {
          type: "object",
          nullable: true,
          properties: { id: uuid, assignmentDate: time, source: { type: "string" }, notes: text },
        },
      },
    },
  },
};

const listSchema = {
  params: { type: "object", properties: { trainerId: uuid }, required: ["trainerId"] },
  querystring: {
    type: "object",
    properties: { limit: { type: "integer", minimum: 1, maximum: 1000, default: 100 }, cursor: uuid },
    additionalProperties: false,
  },
  response: {
    200: {
      type: "object",
      properties: {
        trainerId: uuid,
        clients: {
          type: "array",
          items: {
            type: "object",
            properties: {
              clientId: uuid,
              assignmentId: uuid,
              assignmentDate: time,
              status: { type: "string" },
              source: { type: "string" },
              assignedBy: { type: "string" },
              policyVersion: number,
              rule: number,
              endedAt: { ...time, nullable: true },
              endedBy: text,
              endedBecause: text,
              notes: text,
            },
          },
        },
        next: text,
      },
    },
  },
};

const app = Fastify();

app.addHook("onRequest", async (request, reply) => {
  if (!isAuthorized(request.headers.authorization)) return reply.code(401).send({ code: "unauthorized" });
});

app.get("/v1/members/:memberId/assignment", { schema: checkSchema }, async (request, reply) => {
  const answer = await readAssignment(request.params.memberId, request.query.trainerId);
  return answer ?? reply.code(404).send({ code: "member_not_found" });
});

app.get("/v1/trainers/:trainerId/clients", { schema: listSchema }, async (request) => {
  const { limit, cursor } = request.query;
  return await listClients(request.params.trainerId, limit, cursor);
});

console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
