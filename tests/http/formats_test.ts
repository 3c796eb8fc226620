import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exportFormat, NDJSON } from "../../src/http/formats.ts";

describe("formats", () => {
  const csv = (rows: object[]) => {
    const format = exportFormat("text/csv", ["id", "notes"]);
    return (format?.head ?? "") + (format?.write(rows) ?? "");
  };

  it("write CSV by RFC 4180, empty lists included", () => {
    assertEquals(csv([]), "id,notes\r\n");
    assertEquals(
      csv([{ id: 1, notes: 'say "hi", twice' }, { id: 2, notes: "two\nlines" }, { id: 3, notes: null }, {
        id: 4,
        notes: "a\rb",
      }]),
      'id,notes\r\n1,"say ""hi"", twice"\r\n2,"two\nlines"\r\n3,\r\n4,"a\rb"\r\n',
    );
  });

  it("keep spreadsheets from running notes", () => {
    for (const formula of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1"]) {
      const written = csv([{ id: 1, notes: formula }]).split("\r\n1,")[1] ?? "";
      assertMatch(written, /^"?'/, formula);
    }
  });

  it("write NDJSON that gives back the very text", () => {
    const notes = '=1+1 \u2028 \r\n "quoted" \u{1F9D1}';
    assertEquals(JSON.parse(NDJSON.write([{ notes }])), { notes });
    assertEquals(NDJSON.write([{ notes }, { notes }]).split("\n").length, 3);
  });
});
