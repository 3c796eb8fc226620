import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { experiments } from "./experiments.ts";

it("every experiment has a test file of its own, and each such file its experiment", async () => {
  const entries = await Array.fromAsync(Deno.readDir(new URL("experiments/", import.meta.url)));
  const tested = entries.map(({ name }) => name).filter((name) => name.endsWith("_test.ts"));
  assertEquals(tested.toSorted(), experiments.map(({ name }) => `${name}_test.ts`).toSorted());
});
