import type { Standing } from "../../policy/standing.ts";
import { paths } from "../frame/paths.ts";

/** Says where the policy in force names a trainer: `the default trainer, and named in the rule German`. */
export function StandingInWords({ standing: { isDefault, rules } }: { standing: Standing }) {
  return (
    <>
      {isDefault && "the default trainer"}
      {isDefault && rules.length > 0 && ", and "}
      {rules.length > 0 && `named in the ${rules.length === 1 ? "rule" : "rules"} `}
      {rules.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <bdi class="field">{name}</bdi>
        </span>
      ))} of <a href={paths.policy}>the policy</a>
    </>
  );
}

/** Tells whether a policy names a trainer at all. */
export function isNamed({ isDefault, rules }: Standing): boolean {
  return isDefault || rules.length > 0;
}
