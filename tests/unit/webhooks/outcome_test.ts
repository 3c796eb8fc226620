import { assertMatch, assertStringIncludes } from "@std/assert";
import { it } from "@std/testing/bdd";
import { describeStatus } from "../../../src/webhooks/outcome.ts";

it("every status that is no success says what an operator can do", () => {
  for (let status = 300; status <= 599; status++) {
    const words = describeStatus(status);
    assertStringIncludes(words, `the receiver answered ${status}`);
    assertMatch(
      words,
      /give the webhook|look into its log|compare|check|was disabled|raise its limit|let it take/,
    );
  }
});
