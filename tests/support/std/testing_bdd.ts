/** Stands in for `@std/testing/bdd` where only the npm registry is reached: Node's runner under the same names. */
export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, it } from "node:test";
