/** The service under other accounts and in other folders than those of the person who runs the tests. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { dirname, join } from "node:path";
import { type Account, copyProject, type Project } from "../support/project.ts";

// Only root can become another account, or shut others out of a folder of its own.
if (Deno.uid() === 0) {
  describe("accounts", () => {
    const ordinary = ordinaryAccount();
    let project: Project; // the ordinary user's
    beforeAll(async () => {
      project = await copyProject(ordinary);
    });
    afterAll(() => project.remove());
    afterEach(() => Deno.remove(join(project.folder, ".data"), { recursive: true }).catch(() => {}));

    it("an ordinary user's database is the user's own", async () => {
      await startAndStop(project);
      assertEquals(await databaseOwner(project), ordinary.uid);
    });

    it("root runs a database that an ordinary user made, as that user", async () => {
      await startAndStop(project);
      await startAndStop(project.asOurselves());
      assertEquals(await databaseOwner(project), ordinary.uid);
    });

    it("root's database belongs to another account, also in a folder that only root may enter", async () => {
      const parent = dirname(project.folder);
      await Deno.chown(parent, 0, 0);
      await Deno.chmod(parent, 0o700);
      await startAndStop(project.asOurselves());
      await Deno.chown(parent, ordinary.uid, ordinary.gid);
      assertNotEquals(await databaseOwner(project), 0);
    });

    it("an ordinary user is told in one line that the data are another account's", async () => {
      assertEquals((await project.asOurselves().run("migrate")).code, 0);
      const result = await project.run("start");
      assertEquals(result.code, 1);
      assertMatch(result.stderr, /^error: cannot use the data in [^\n]+: Permission denied[^\n]*\n$/);
    });

    it("a folder that the user may not write is reported in one clear line", async () => {
      await Deno.chown(project.folder, 0, 0);
      const result = await project.run("start");
      await Deno.chown(project.folder, ordinary.uid, ordinary.gid);
      assertEquals(result.code, 1);
      assertMatch(result.stderr, /^error: cannot use the data in [^\n]+: Permission denied[^\n]*\n$/);
    });
  });
}

async function startAndStop(project: Project): Promise<void> {
  const service = project.spawn("start");
  const [, address] = await service.line(/Service +(http\S+)/);
  const health = await fetch(`${address}/readyz`);
  assertEquals((await health.json()).status, "ready");
  service.kill("SIGTERM");
  assertEquals(await service.ended, 0);
}

async function databaseOwner(project: Project): Promise<number | null> {
  return (await Deno.stat(join(project.folder, ".data/postgres"))).uid;
}

function ordinaryAccount(): Account {
  const [, , uid, gid] = Deno.readTextFileSync("/etc/passwd").match(/^nobody:.*$/m)?.[0].split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
