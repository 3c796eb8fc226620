import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listReleases, parseChecksums, type Release } from "../../src/database/releases.ts";
import { VERSION } from "../../src/version.ts";
import { findThawed, listChecksums } from "../support/frozen_migrations.ts";

const releases = await listReleases();

describe("released migrations", () => {
  for (const release of releases) {
    it(`are still what ${release.version} applied`, async () => {
      assertEquals(findThawed(release, await listChecksums()), []);
    });
  }

  it("are listed for the version of deno.json, or else want `deno task release`", () => {
    assertEquals(releases.at(-1)?.version, VERSION);
  });

  it("have a heading with its day in the changelog", async () => {
    const changelog = await Deno.readTextFile(new URL("../../CHANGELOG.md", import.meta.url));
    for (const { version } of releases) {
      assertMatch(changelog, new RegExp(`^## ${RegExp.escape(version)} – \\d{4}-\\d\\d-\\d\\d$`, "m"));
    }
  });
});

describe("a migration that is frozen", () => {
  const checksum = (file: string, digit = "a") => ({ file, sha256: digit.repeat(64) });
  const release: Release = {
    version: "1.0.0",
    migrations: [checksum("01_first.sql"), checksum("03_second.sql"), checksum("05_third.sql")],
  };
  const problemOf = (today: Release["migrations"]) => findThawed(release, today).join("\n");

  it("may have later ones behind it", () => {
    assertEquals(problemOf([...release.migrations, checksum("06_later.sql")]), "");
  });

  it("must not change: the change is a new migration", () => {
    const problem = problemOf([...release.migrations.slice(0, 2), checksum("05_third.sql", "b")]);
    assertStringIncludes(problem, "05_third.sql has changed since 1.0.0");
    assertStringIncludes(problem, "put the change into a new migration");
  });

  it("must not be removed", () => {
    assertStringIncludes(problemOf(release.migrations.slice(1)), "01_first.sql is missing");
  });

  it("must not be renamed", () => {
    const problem = problemOf([checksum("01_begin.sql"), ...release.migrations.slice(1)]);
    assertStringIncludes(problem, "01_first.sql is missing");
    assertStringIncludes(problem, "restore it under this name");
    assertStringIncludes(problem, "01_begin.sql comes before the last one");
  });

  it("must have none inserted before it", () => {
    const problem = problemOf([...release.migrations, checksum("04_between.sql")]);
    assertStringIncludes(problem, "04_between.sql comes before the last one of 1.0.0, 05_third.sql");
    assertStringIncludes(problem, "Give it a later number");
  });

  it("is listed as sha256sum does", () => {
    const line = `${"a".repeat(64)}  01_first.sql\n${"a".repeat(64)} *03_second.sql\n`;
    assertEquals(parseChecksums(line), release.migrations.slice(0, 2));
  });
});
