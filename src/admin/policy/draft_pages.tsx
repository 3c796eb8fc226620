import type { Context } from "hono";
import { findMembers } from "../../assignments/member_lookup.ts";
import { AppError } from "../../errors.ts";
import { logChange } from "../../http/audit.ts";
import { toProblem } from "../../http/error_handler.ts";
import { listMemberFields } from "../../policy/member_fields.ts";
import { parsePolicy, policyErrors } from "../../policy/parse.ts";
import { getPolicy, putPolicy } from "../../policy/policies.ts";
import { previewPolicy } from "../../policy/preview.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { noticeOf, withNotice } from "../frame/notices.ts";
import { answerPage, type Pages, readId, REFUSED, seeOther } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import type { OverviewReader } from "../overview/reader.ts";
import { type PickerState, readPick } from "../picker/read_pick.ts";
import { findChanges } from "./changes.ts";
import { Fate, withFate } from "./fate.tsx";
import {
  readButton,
  readDraft,
  readFields,
  readLine,
  readPickerFields,
  readPlace,
  readRuleForm,
} from "./form_fields.ts";
import { findPeople, findTrainers, listPickable } from "./people.ts";
import { addTest, EMPTY_RULE, formOfRule, removeTest, type RuleForm, ruleOfForm } from "./rule_form.ts";
import { startPolicyRun } from "./policy_run.ts";
import { RulePage } from "./rule_view.tsx";
import { RulesPage } from "./rules_view.tsx";
import { ReviewPage } from "./review_view.tsx";

type Draft = ReturnType<typeof readDraft>;

/** Adds the pages that change the policy. A draft travels in their forms; saving alone changes something. */
export function addDraftPages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;
  app.get("/trainer-assignment/policy/draft", async (c) => {
    const { version, policy } = await getPolicy(sql);
    return await answerRules(c, { draft: policy, base: version });
  });
  app.get("/trainer-assignment/policy/draft/rule", (c) => seeOther(c, paths.policyDraft));

  app.post("/trainer-assignment/policy/draft", async (c) => {
    const form = await readFields(c);
    const { base, ...read } = readDraft(form);
    const respects = form.get("respects");
    const draft = respects === null
      ? read.draft
      : { ...read.draft, respectsOtherTrainers: respects === "true" };
    const { verb, places: [from = -1, to = -1] } = readButton(form);
    const rule = draft.rules[from];
    if (verb === "review") return await answerReview(c, { draft, base }, readLine(form, "comment"));
    if (verb === "add") return await answerRule(c, { draft, base }, draft.rules.length, EMPTY_RULE);
    if (verb === "edit" && rule !== undefined) {
      return await answerRule(c, { draft, base }, from, formOfRule(rule));
    }
    if (rule === undefined) return await answerRules(c, { draft, base });
    const rules = draft.rules.toSpliced(from, 1);
    if (verb === "move" && to >= 0) rules.splice(to, 0, rule);
    return await answerRules(c, {
      draft: verb === "move" || verb === "remove" ? { ...draft, rules } : draft,
      base,
    });
  });

  app.post("/trainer-assignment/policy/draft/rule", async (c) => {
    const form = await readFields(c);
    const draft = readDraft(form);
    const place = Math.min(readPlace(form), draft.draft.rules.length);
    const { verb, places: [which = -1] } = readButton(form);
    if (verb === "cancel") return await answerRules(c, draft);
    const filled = readRuleForm(form);
    switch (form.has("find") ? "add-trainer" : verb) {
      case "add-condition": {
        const field = readLine(form, "newField");
        return await answerRule(c, draft, place, addTest(filled, field, await listMemberFields(sql)));
      }
      case "remove-condition":
        return await answerRule(c, draft, place, removeTest(filled, which));
      case "remove-trainer":
        return await answerRule(c, draft, place, {
          ...filled,
          trainers: filled.trainers.toSpliced(which, 1),
        });
      case "add-trainer": {
        const pick = await readPick(services, readPickerFields(form), "trainer");
        const known = pick.isEmpty ? readId(readLine(form, "known")) : undefined;
        const [member] = await findMembers(services, [pick.id ?? known].filter((id) => id !== undefined));
        if (member === undefined) {
          const { text } = pick.id === undefined ? pick.notice : noticeOf("trainer_not_found");
          return await answerRule(c, draft, place, filled, [text], pick.state);
        }
        const trainerId = member.id;
        const isPicked = filled.trainers.some((trainer) => trainer.trainerId === trainerId);
        const trainers = isPicked ? filled.trainers : [...filled.trainers, { trainerId, weight: "1" }];
        return await answerRule(c, draft, place, { ...filled, trainers });
      }
      default:
        return await takeRule(c, draft, place, filled);
    }
  });

  app.post("/trainer-assignment/policy", async (c) => {
    const form = await readFields(c);
    const draft = readDraft(form);
    const comment = readLine(form, "comment");
    const before = await getPolicy(sql);
    const asks = before.policy.defaultTrainerId !== draft.draft.defaultTrainerId;
    const { data: fate } = Fate.safeParse(form.get("fate"));
    if (before.version !== draft.base || (asks && fate === undefined)) {
      return await answerReview(c, draft, comment, { fate, asks });
    }
    try {
      const wanted = asks ? withFate(draft.draft, fate) : draft.draft;
      const by = visitorOf(c);
      const { policy: { version }, isNew } = await putPolicy(sql, wanted, by, {
        expectedVersion: draft.base,
        ...(comment === "" ? {} : { comment }),
      });
      if (!isNew) return seeOther(c, withNotice(paths.policy, "policy_unchanged"));
      reader.expire();
      logChange(log, visitorOf(c), "policy_changed", { version });
      if (asks && (fate === "add" || fate === "move")) {
        return seeOther(c, await startPolicyRun(c, sql, log, { fate, version, home: paths.policy }));
      }
      return seeOther(c, withNotice(paths.policy, "policy_saved", version));
    } catch (error) {
      const { code } = toProblem(error instanceof Error ? error : new Error(String(error)));
      if (code !== "policy_changed" && code !== "policy_invalid") throw error;
      return await answerReview(c, draft, comment, { fate, asks });
    }
  });

  async function takeRule(c: Context<PageEnv>, { draft, base }: Draft, place: number, filled: RuleForm) {
    const { rule, faults } = ruleOfForm(filled, await listMemberFields(sql));
    const others = draft.rules.toSpliced(place, 1);
    if (others.some(({ name }) => name === rule.name)) faults.push("Another rule has this name.");
    if (faults.length > 0) return await answerRule(c, { draft, base }, place, filled, faults);
    const wanted = { ...draft, rules: draft.rules.toSpliced(place, 1, rule) };
    const { errors } = await check(wanted);
    const own = errors.filter(({ pointer }) => pointer.startsWith(`/rules/${place}/`));
    if (own.length === 0) return await answerRules(c, { draft: wanted, base });
    return await answerRule(
      c,
      { draft, base },
      place,
      filled,
      own.map(({ detail }) => `This rule ${detail}.`),
    );
  }

  async function check(draft: Draft["draft"]) {
    try {
      return { errors: [], warnings: (await parsePolicy(sql, draft)).warnings };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "policy_invalid") throw error;
      return { errors: policyErrors(error), warnings: [] };
    }
  }

  async function answerRules(c: Context<PageEnv>, { draft, base }: Draft) {
    return await answerPage(c, {
      title: "Change the rules",
      section: "policy",
      children: <RulesPage draft={draft} base={base} people={await findPeople(services, [draft])} />,
    });
  }

  async function answerRule(
    c: Context<PageEnv>,
    { draft, base }: Draft,
    place: number,
    form: RuleForm,
    faults: string[] = [],
    picker?: PickerState,
  ) {
    const [fields, pickable, people] = await Promise.all([
      listMemberFields(sql),
      listPickable(services),
      findTrainers(services, form.trainers.map(({ trainerId }) => trainerId)),
    ]);
    const props = { draft, base, people, place, form, fields, pickable, picker, faults };
    return await answerPage(
      c,
      { title: "Rule", section: "policy", children: <RulePage {...props} /> },
      faults.length > 0 ? REFUSED : 200,
    );
  }

  async function answerReview(
    c: Context<PageEnv>,
    { draft, base }: Draft,
    comment: string,
    refused?: { fate: Fate | undefined; asks: boolean },
  ) {
    const inForce = await getPolicy(sql);
    const origin = inForce.version === base ? inForce : await getPolicy(sql, base);
    const { errors, warnings } = await check(draft);
    const preview = errors.length > 0 ? null : await previewPolicy(sql, draft).catch((error) => {
      const { code } = toProblem(error);
      if (code === "database_busy") return null; // or its statement time-out
      throw error;
    });
    const theirs = origin === inForce ? null : {
      changes: findChanges(origin.policy, inForce.policy),
      mine: findChanges(origin.policy, draft),
    };
    const children = (
      <ReviewPage
        draft={draft}
        base={base}
        people={await findPeople(services, [draft, inForce.policy, origin.policy])}
        inForce={inForce}
        theirs={theirs}
        errors={errors}
        warnings={warnings}
        preview={preview}
        comment={comment}
        fate={refused?.fate}
      />
    );
    return await answerPage(
      c,
      { title: "Preview and save", section: "policy", children },
      refused ? REFUSED : 200,
    );
  }
}
