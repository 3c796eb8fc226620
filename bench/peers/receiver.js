// A receiver of webhooks: counts messages, and answers as its path says. GET /stats tells what came.
import { createServer } from "node:http";

let received = 0;
let firstAt = 0;
let lastAt = 0;
const waits = [];

const server = createServer(async (request, response) => {
  if (request.url === "/stats") {
    response.end(JSON.stringify({ received, firstAt, lastAt, waits }));
    return;
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  if (request.url === "/slow") {
    setTimeout(() => response.end("late"), 14_000);
    return;
  }
  if (request.url === "/drip") {
    response.write("d");
    const timer = setInterval(() => response.write("d"), 500);
    response.on("close", () => clearInterval(timer));
    return;
  }
  received += 1;
  lastAt = Date.now();
  firstAt ||= lastAt;
  waits.push(lastAt - Date.parse(JSON.parse(body).timestamp));
  response.writeHead(204).end();
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
