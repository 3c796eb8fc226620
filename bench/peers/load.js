// Puts load on an address with autocannon. Arguments: URL, connections, seconds, a file, a bearer token. Each line of the
// file is a path, or a path, a tab and the JSON to post. Prints one line of JSON.
import { readFileSync } from "node:fs";
import process from "node:process";
import autocannon from "autocannon";

const [url, connections, seconds, pathsFile, token] = process.argv.slice(2);
const requests = readFileSync(pathsFile, "utf8").trimEnd().split("\n").map((line) => {
  const [path, body] = line.split("\t");
  return body === undefined ? { path } : { path, body, method: "POST" };
});

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  requests: [{
    setupRequest: (request) => ({ ...request, ...requests[Math.floor(Math.random() * requests.length)] }),
  }],
});

console.log(JSON.stringify({
  requests: result.requests.total,
  seconds: result.duration,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
  failed: result.errors + result.timeouts + result.non2xx,
}));
