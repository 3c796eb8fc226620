import type { Child } from "hono/jsx";
import type { Member } from "../../assignments/member_lookup.ts";
import type { AuditLine } from "../../history/audit_lines.ts";
import type { Policy } from "../../policy/policies.ts";
import { MemberLink, Message } from "../frame/parts.tsx";
import { paths } from "../frame/paths.ts";
import { titleOf } from "../frame/run_wording.ts";
import { TrainerLink } from "../frame/trainer_link.tsx";
import { countOf, STATUS_WORDS } from "../frame/wording.ts";
import { changesInWords, findChanges } from "../policy/changes.ts";
import { type Facts, idOfSubject, readFacts } from "./facts.ts";

/** What is known of those whom lines name. */
export interface Known {
  members: Map<string, Member>;
  /** The versions of the policy that the lines are about, and those before them. */
  policies: Map<number, Policy>;
}

/** Says to whom or what something was done, and what was before and after. */
export function LineDetails({ line, known }: { line: AuditLine; known: Known }) {
  const [before, after] = [readFacts(line.before), readFacts(line.after)];
  const [thing] = line.action.split(".");
  switch (thing) {
    case "policy":
      return <PolicyChange after={after} known={known} />;
    case "trainer":
      return <TrainerChange line={line} before={before} after={after} known={known} />;
    case "assignment":
      return <AssignmentChange line={line} before={before} after={after} known={known} />;
    case "run":
      return <RunChange line={line} after={after} known={known} />;
    case "webhook":
      return <WebhookChange line={line} before={before} after={after} />;
    default:
      return <>{restInWords(line.action, after)}</>;
  }
}

function PolicyChange({ after: { version, comment }, known: { policies } }: { after: Facts; known: Known }) {
  if (version === undefined) return null;
  const [policy, former] = [policies.get(version), policies.get(version - 1)];
  return (
    <div>
      <a href={paths.policyVersion(version)}>Version {version}</a>
      {policy && former && `: ${changesInWords(findChanges(former.policy, policy.policy))}`}
      {comment !== undefined && <Message text={comment} />}
    </div>
  );
}

interface ChangeProps {
  line: AuditLine;
  before: Facts;
  after: Facts;
  known: Known;
}

function TrainerChange({ line, before, after, known: { members } }: ChangeProps) {
  const id = idOfSubject(line.subject, "trainer") ?? null;
  const changes = [
    changeInWords("capacity", limit(before.capacity), limit(after.capacity)),
    changeInWords("new clients", accepts(before.acceptsClients), accepts(after.acceptsClients)),
    after.noteChanged ? "the note was changed" : undefined,
  ].filter((change) => change !== undefined);
  return (
    <div>
      <TrainerLink id={id} member={members.get(id ?? "")} />
      {changes.map((change) => <div key={change}>{change}</div>)}
    </div>
  );
}

function changeInWords(what: string, before: string, after: string): string | undefined {
  return before === after ? undefined : `${what}: from ${before} to ${after}`;
}

function limit(capacity: number | null | undefined): string {
  return typeof capacity === "number" ? countOf(capacity, "client") : "no limit";
}

/** Trainers take new clients unless somebody says otherwise. */
function accepts(acceptsClients: boolean | undefined): string {
  return acceptsClients === false ? "paused" : "accepted";
}

function AssignmentChange({ line, before, after, known: { members } }: ChangeProps) {
  const trainerId = line.trainerId ?? after.trainerId ?? before.trainerId ?? null;
  return (
    <div>
      {line.memberId === null
        ? <span>a member who was deleted since</span>
        : <MemberLink id={line.memberId} member={members.get(line.memberId)} />}
      <div>
        {line.action === "assignment.made" ? "to " : "from "}
        <TrainerLink id={trainerId} member={members.get(trainerId ?? "")} />
      </div>
      {after.force && <div>although the trainer had no room</div>}
    </div>
  );
}

function RunChange({ line, after, known: { members } }: Omit<ChangeProps, "before">) {
  const id = idOfSubject(line.subject, "run");
  const { kind = "backfill", reassign = false, dryRun = false, fromTrainerId, trainerId, policyVersion } =
    after;
  const title = titleOf({ kind, reassign, dryRun, retryOf: null });
  const trainer = (trainerId: string): Child => (
    <TrainerLink
      id={trainerId}
      member={members.get(trainerId)}
    />
  );
  return (
    <div>
      {id === undefined ? title : <a href={paths.run(id)}>{title}</a>}
      {line.action === "run.ended" && after.status !== undefined && `: ${STATUS_WORDS[after.status]}`}
      {fromTrainerId !== undefined && <div>from {trainer(fromTrainerId)}</div>}
      {trainerId !== undefined
        ? <div>{fromTrainerId === undefined ? "for" : "to"} {trainer(trainerId)}</div>
        : policyVersion !== undefined && (
          <div>
            by <a href={paths.policyVersion(policyVersion)}>version {policyVersion} of the policy</a>
          </div>
        )}
      {after.reason !== undefined && <Message text={after.reason} />}
    </div>
  );
}

/** One that was deleted has no page: the id finds the others. */
function WebhookChange({ line, before, after }: Omit<ChangeProps, "known">) {
  const url = after.url ?? before.url;
  const changes = [
    line.action === "webhook.changed" && before.enabled !== after.enabled &&
    (after.enabled ? "enabled" : "disabled"),
    line.action === "webhook.changed" && after.newUrl && "a new URL",
    line.action === "webhook.changed" && after.newSecret && "a new secret",
    after.because === "gone" && "the receiver is gone (410)",
    after.because === "failing" && "nothing was delivered for five days",
    after.messages !== undefined && countOf(after.messages, "message"),
  ].filter((change) => typeof change === "string");
  return (
    <div>
      {url !== undefined && <bdi class="url">{url}</bdi>}{" "}
      <code class="id">{idOfSubject(line.subject, "webhook")}</code>
      {changes.length > 0 && <div>{changes.join(", ")}</div>}
    </div>
  );
}

/** Says what has no page of its own. */
export function restInWords(action: AuditLine["action"], after: Facts): string {
  switch (action) {
    case "assignments.changed":
      return [
        after.ended && `${countOf(after.ended, "assignment")} ended`,
        after.revived && `${countOf(after.revived, "ended assignment")} made active again`,
        after.otherwise && `${countOf(after.otherwise, "assignment")} changed otherwise`,
      ].filter(Boolean).join(", ");
    case "assignments.deleted":
      return countOf(after.deleted ?? 0, "assignment");
    case "members.deleted":
      return `${countOf(after.members ?? 0, "member")}, with what was kept of them`;
    case "failures.retried":
      return countOf(after.failures ?? 0, "waiting sign-up");
    case "session.started":
      return `as ${after.role ?? "somebody"}, ${
        after.by === "openid" ? "by the identity provider" : "by token"
      }`;
    case "access.refused":
      return `${after.method ?? ""} ${after.route ?? ""} needs the role ${after.needed ?? "admin"}`;
    case "audit.forgotten":
      return `${countOf(after.lines ?? 0, "line")} from before ${after.before ?? "a time"}`;
    default:
      return "";
  }
}
