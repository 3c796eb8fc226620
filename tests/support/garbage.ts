import v8 from "node:v8";
import vm from "node:vm";

/** Collects garbage; the bytes that live on. */
export function collectGarbage(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}
