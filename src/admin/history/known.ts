import { byId, findMembers } from "../../assignments/member_lookup.ts";
import type { AuditLine } from "../../history/audit_lines.ts";
import type { Services } from "../../http/services.ts";
import { findPolicies } from "../../policy/policies.ts";
import { membersOf, readFacts } from "./facts.ts";
import type { Known } from "./line_details.tsx";

/** Finds what lines name: members, and versions of the policy with those before them. */
export async function readKnown(services: Services, lines: AuditLine[]): Promise<Known> {
  const versions = lines.filter(({ action }) => action === "policy.changed")
    .flatMap(({ after }) => readFacts(after).version ?? []);
  const [members, policies] = await Promise.all([
    findMembers(services, [...new Set(lines.flatMap(membersOf))]),
    findPolicies(services.sql, versions.flatMap((version) => [version, version - 1])),
  ]);
  return {
    members: byId(members),
    policies: new Map(policies.map((policy) => [policy.version, policy])),
  };
}
