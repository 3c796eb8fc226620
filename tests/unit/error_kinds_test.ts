import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { databaseErrorKind } from "../../src/database/error_kinds.ts";

describe("what a database error means", () => {
  const kindOf = (message: string, code: string) =>
    databaseErrorKind(Object.assign(new postgres.PostgresError(message), { message, code }));

  it("is a database that is away where Citus loses a node in the middle of a statement", () => {
    const messages = [
      "failure on connection marked as essential: 10.0.0.2:5432",
      "failed to COPY to shard 102016 on 10.0.0.2:5432",
      "server closed the connection unexpectedly",
    ];
    assertEquals(messages.map((message) => kindOf(message, "XX000")), ["away", "away", "away"]);
  });

  it("is unknown of another internal error, and of the same words from elsewhere", () => {
    assertEquals(kindOf("cache lookup failed for relation 1", "XX000"), undefined);
    assertEquals(kindOf("failed to COPY to shard 102016", "P0001"), undefined);
  });
});
