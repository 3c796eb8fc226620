import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Preview } from "../../src/admin/policy/preview_view.tsx";

describe("the page's preview of a policy", () => {
  const shown = (sample: { isSample: boolean; percent: number; changed: number }) => {
    const preview = { members: 1_000, outcomes: [], shares: [], ...sample };
    const html = String(Preview({ preview, people: new Map() }));
    return html.match(/<strong>(.*?)<\/strong>/)?.[1];
  };

  it("says nobody only of whom it looked at", () => {
    assertEquals(shown({ isSample: false, percent: 100, changed: 0 }), "Nobody would get another trainer,");
    assertEquals(
      shown({ isSample: true, percent: 1, changed: 0 }),
      "Nobody of the sample would get another trainer,",
    );
    assertEquals(
      shown({ isSample: true, percent: 1, changed: 3 }),
      "about 300 of about 100,000 would get another trainer,",
    );
  });
});
