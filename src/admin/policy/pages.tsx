import { z } from "zod";
import type { Sql } from "../../database/sql.ts";
import { Problem } from "../../http/problems.ts";
import {
  findDefaultTrainerVersion,
  getPolicy,
  listPolicyVersions,
  type Policy,
} from "../../policy/policies.ts";
import { answerPage, type Pages } from "../frame/pages.ts";
import { findChanges } from "./changes.ts";
import { findPeople } from "./people.ts";
import { PolicyPage, type Version, VersionPage } from "./view.tsx";

const PAGE_ROWS = 20;
const VersionNumber = z.string().regex(/^[1-9]\d{0,8}$/).transform(Number);

/** Adds the pages that show the policy and its versions. */
export function addPolicyPages({ app, services }: Pages): void {
  const { sql } = services;
  app.get("/trainer-assignment/policy", async (c) => {
    const [policy, trainerSince, { versions, next }] = await Promise.all([
      getPolicy(sql),
      findDefaultTrainerVersion(sql),
      readVersions(sql, readBefore(c.req.query("cursor"))),
    ]);
    return await answerPage(c, {
      title: "Policy",
      section: "policy",
      children: (
        <PolicyPage
          policy={policy}
          trainerSince={trainerSince}
          people={await findPeople(services, [policy.policy])}
          versions={versions}
          next={next}
        />
      ),
    });
  });

  app.get("/trainer-assignment/policy/versions/:version{[1-9][0-9]{0,8}}", async (c) => {
    const version = VersionNumber.parse(c.req.param("version"));
    const [policy, inForce, before] = await Promise.all([
      getPolicy(sql, version),
      getPolicy(sql),
      version > 1 ? getPolicy(sql, version - 1) : null,
    ]);
    const shown = [policy, inForce, ...(before === null ? [] : [before])];
    return await answerPage(c, {
      title: `Version ${version} of the policy`,
      section: "policy",
      children: (
        <VersionPage
          policy={policy}
          inForce={inForce}
          changes={before && findChanges(before.policy, policy.policy)}
          differences={findChanges(policy.policy, inForce.policy)}
          people={await findPeople(services, shown.map(({ policy }) => policy))}
        />
      ),
    });
  });
}

/** Reads a page of the history, and for each version what it changed. */
async function readVersions(
  sql: Sql,
  after: number | undefined,
): Promise<{ versions: Version[]; next: string | null }> {
  const policies = await listPolicyVersions(sql, { limit: PAGE_ROWS + 1, after });
  const versions = policies.slice(0, PAGE_ROWS).map((policy: Policy, index): Version => {
    const before = policies[index + 1];
    return { ...policy, changes: before === undefined ? null : findChanges(before.policy, policy.policy) };
  });
  const last = versions.at(-1);
  return { versions, next: policies.length > PAGE_ROWS && last ? String(last.version) : null };
}

function readBefore(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const { data } = VersionNumber.safeParse(cursor);
  if (data === undefined) throw new Problem("invalid_cursor", "The cursor must be a version.");
  return data;
}
