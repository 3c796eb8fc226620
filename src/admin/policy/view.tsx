import type { Policy } from "../../policy/policies.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { Message, NextPage, Table, Time } from "../frame/parts.tsx";
import { type Change, changesInWords } from "./changes.ts";
import { DraftFields } from "./draft_fields.tsx";
import type { People } from "./people.ts";
import { Reassign } from "./reassign_view.tsx";
import { Comparison, Sentences } from "./sentence_view.tsx";

/** A version in the history, and what it changed; null for the first. */
export interface Version extends Policy {
  changes: Change[] | null;
}

/** Shows the policy in force, and all versions. */
export function PolicyPage({ policy, trainerSince, people, versions, next }: {
  policy: Policy;
  /** The version that set the default trainer. */
  trainerSince: Pick<Policy, "version" | "createdAt" | "createdBy"> | undefined;
  people: People;
  versions: Version[];
  next: string | null;
}) {
  return (
    <>
      <h1>Who trains whom</h1>
      <p>The first rule that fits a member, and has a trainer to give, decides.</p>
      <section class="card" aria-labelledby="in-force-title">
        <header>
          <h2 id="in-force-title">In force: version {policy.version}</h2>
          <Origin policy={policy} />
        </header>
        <Sentences policy={policy.policy} people={people} />
        {trainerSince !== undefined && (
          <p class="meta">
            The default trainer was set {trainerSince.createdBy === "migration" ? "at the installation" : (
              <>
                by <bdi>{trainerSince.createdBy}</bdi>
              </>
            )}, <Time at={trainerSince.createdAt} />, with{" "}
            <a href={paths.policyVersion(trainerSince.version)}>version {trainerSince.version}</a>.
          </p>
        )}
        <ForAdmins>
          <div class="actions">
            <a class="button primary" href={paths.policyDraft}>Change the rules</a>
            <a class="button" href={paths.defaultTrainer}>Change the default trainer</a>
          </div>
        </ForAdmins>
      </section>
      {policy.version > 1 && <Reassign />}
      <History versions={versions} next={next} />
    </>
  );
}

function Origin({ policy: { createdAt, createdBy, comment } }: { policy: Policy }) {
  return (
    <>
      <p class="meta">
        {createdBy === "migration" ? "Made at the installation" : (
          <>
            Written by <bdi>{createdBy}</bdi>
          </>
        )}, <Time at={createdAt} />
      </p>
      {comment !== null && <Message text={comment} />}
    </>
  );
}

function History({ versions, next }: { versions: Version[]; next: string | null }) {
  return (
    <section aria-labelledby="versions-title">
      <h2 id="versions-title">Who changed this, when</h2>
      <Table
        label="Versions"
        rows={versions}
        keyOf={({ version }) => String(version)}
        columns={[
          {
            title: "Version",
            cell: ({ version }) => <a href={paths.policyVersion(version)}>Version {version}</a>,
          },
          { title: "When", cell: ({ createdAt }) => <Time at={createdAt} /> },
          { title: "Who", cell: ({ createdBy }) => <bdi>{createdBy}</bdi> },
          {
            title: "What",
            cell: ({ changes }) => <span>{changes === null ? "the first" : changesInWords(changes)}</span>,
          },
          { title: "Comment", cell: ({ comment }) => comment !== null && <Message text={comment} /> },
        ]}
      />
      <NextPage path={paths.policy} next={next} />
    </section>
  );
}

/** Shows a version, what it changed, and what differs from the one in force. */
export function VersionPage({ policy, inForce, changes, differences, people }: {
  policy: Policy;
  inForce: Policy;
  /** From the version before; null for the first. */
  changes: Change[] | null;
  /** From this version to the one in force. */
  differences: Change[];
  people: People;
}) {
  const { version } = policy;
  const isInForce = version === inForce.version;
  return (
    <>
      <h1>Version {version} of the policy</h1>
      <section class="card" aria-labelledby="version-title">
        <header>
          <h2 id="version-title">{isInForce ? "In force" : "What it says"}</h2>
          <Origin policy={policy} />
        </header>
        <Sentences policy={policy.policy} people={people} />
        {!isInForce && differences.length > 0 && (
          <ForAdmins>
            <form class="actions" method="post" action={paths.policyDraft}>
              <DraftFields
                draft={policy.policy}
                base={inForce.version}
                comment={`Version ${version} again`}
              />
              <button type="submit" name="do" value="review">Put back…</button>
            </form>
          </ForAdmins>
        )}
      </section>
      {changes !== null && (
        <section aria-labelledby="changes-title">
          <h2 id="changes-title">What it changed</h2>
          <Comparison
            changes={changes}
            people={people}
            before={`Version ${version - 1}`}
            after={`Version ${version}`}
          />
        </section>
      )}
      {!isInForce && (
        <section aria-labelledby="differences-title">
          <h2 id="differences-title">Compared with the policy in force</h2>
          <Comparison
            changes={differences}
            people={people}
            before={`Version ${version}`}
            after={`Version ${inForce.version}, in force`}
          />
        </section>
      )}
      <p>
        <a href={paths.policy}>All versions</a>
      </p>
    </>
  );
}
