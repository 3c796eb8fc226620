// Puts load on an address with autocannon. Arguments: URL, connections, seconds, a file of paths, a bearer token.
// Prints one line of JSON.
import { readFileSync } from "node:fs";
import process from "node:process";
import autocannon from "autocannon";

const [url, connections, seconds, pathsFile, token] = process.argv.slice(2);
const paths = readFileSync(pathsFile, "utf8").trimEnd().split("\n");

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  headers: { authorization: `Bearer ${token}` },
  requests: [{
    setupRequest: (request) => ({ ...request, path: paths[Math.floor(Math.random() * paths.length)] }),
  }],
});

console.log(JSON.stringify({
  requests: result.requests.total,
  seconds: result.duration,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
  failed: result.errors + result.timeouts + result.non2xx,
}));
