import type { PolicyDocument } from "../../policy/document.ts";
import { paths } from "../frame/paths.ts";
import { Badge, Empty, Table } from "../frame/parts.tsx";
import type { Change } from "./changes.ts";
import { nameOf, type People } from "./people.ts";
import { defaultInWords, type Part, respectInWords, ruleInWords } from "./sentences.ts";

/** Shows a sentence, with links to the trainers whom it names. */
export function Sentence({ parts, people }: { parts: readonly Part[]; people: People }) {
  return <>{parts.map((part, index) => <SentencePart key={index} part={part} people={people} />)}</>;
}

function SentencePart({ part, people }: { part: Part; people: People }) {
  if (typeof part === "string") return <>{part}</>;
  if ("field" in part) return <bdi class="field">{part.field}</bdi>;
  if ("value" in part) return <bdi class="value">{part.value}</bdi>;
  const person = people.get(part.trainerId) ?? { id: part.trainerId, member: undefined };
  return (
    <>
      <a href={paths.trainer(person.id)}>
        <bdi>{nameOf(person)}</bdi>
      </a>
      {person.member === undefined && <strong class="problem">(not a member)</strong>}
    </>
  );
}

/** Shows a policy: its rules in order, then the default trainer. */
export function Sentences({ policy, people }: { policy: PolicyDocument; people: People }) {
  return (
    <>
      <ol class="rules">
        {policy.rules.map((rule) => (
          <li key={rule.name}>
            <h3>
              <bdi>{rule.name}</bdi>
            </h3>
            <p>
              <Sentence parts={ruleInWords(rule)} people={people} />
            </p>
          </li>
        ))}
        <li class="rest">
          <h3>Default trainer</h3>
          <p>
            <Sentence parts={defaultInWords(policy)} people={people} />
          </p>
        </li>
      </ol>
      <p>{respectInWords(policy)}</p>
    </>
  );
}

const TONES = { added: "good", removed: "bad", changed: "busy", moved: "plain" } as const;

/** Shows side by side what differs between two policies. */
export function Comparison({ changes, people, before, after }: {
  changes: Change[];
  people: People;
  /** What the two are called. */
  before: string;
  after: string;
}) {
  if (changes.length === 0) return <Empty>They say the same.</Empty>;
  const line = (change: Change["before"]) =>
    change && (
      <span>
        {change.position !== undefined && <span class="position">{`${change.position}. `}</span>}
        <Sentence parts={change.parts} people={people} />
      </span>
    );
  return (
    <Table
      label={`${before} and ${after}`}
      rows={changes}
      keyOf={({ title, kind }) => `${kind} ${title}`}
      columns={[
        {
          title: "What",
          cell: ({ title, kind }) => (
            <span>
              <bdi>{title}</bdi> <Badge tone={TONES[kind]}>{kind}</Badge>
            </span>
          ),
        },
        { title: before, cell: (change) => line(change.before) },
        { title: after, cell: (change) => line(change.after) },
      ]}
    />
  );
}
