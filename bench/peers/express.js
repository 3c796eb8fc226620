// The check and the list with Express and pg, nothing logged.
// Environment: DATABASE_URL, TOKEN. Prints its address.
import express from "express";
import { isAuthorized, listClients, readAssignment } from "./shared.js";

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const app = express();
app.disable("x-powered-by");

app.use((request, response, next) => {
  if (isAuthorized(request.headers.authorization)) return next();
  response.status(401).json({ code: "unauthorized" });
});

app.get("/v1/members/:memberId/assignment", async (request, response) => {
  const { memberId } = request.params;
  const { trainerId } = request.query;
  if (!UUID.test(memberId) || (trainerId !== undefined && !UUID.test(trainerId))) {
    return response.status(400).json({ code: "invalid_request" });
  }
  const answer = await readAssignment(memberId, trainerId);
  if (answer === undefined) return response.status(404).json({ code: "member_not_found" });
  response.json(answer);
});

app.get("/v1/trainers/:trainerId/clients", async (request, response) => {
  const { limit = "100", cursor } = request.query;
  if (!UUID.test(request.params.trainerId) || !/^\d{1,4}$/.test(limit) || (cursor !== undefined && !UUID.test(cursor))) {
    return response.status(400).json({ code: "invalid_request" });
  }
  response.json(await listClients(request.params.trainerId, Number(limit), cursor));
});

const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
