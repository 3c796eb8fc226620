// Made by `deno task client` from the OpenAPI document; not to be edited.
// deno-fmt-ignore-file
// deno-lint-ignore-file

export const ROUTES = {
  getMemberAssignment: {"method":"GET","path":"/v1/members/{memberId}/assignment","type":"application/json","answers":[200],"hasBody":false},
  checkAssignments: {"method":"POST","path":"/v1/assignments/check","type":"application/json","answers":[200],"hasBody":true},
  searchMembers: {"method":"GET","path":"/v1/members","type":"application/json","answers":[200],"hasBody":false},
  listMemberAssignments: {"method":"GET","path":"/v1/members/{memberId}/assignments","type":"application/json","answers":[200],"hasBody":false},
  listMemberEventFailures: {"method":"GET","path":"/v1/hooks/members/failures","type":"application/json","answers":[200],"hasBody":false},
  listTrainers: {"method":"GET","path":"/v1/trainers","type":"application/json","answers":[200],"hasBody":false},
  getTrainer: {"method":"GET","path":"/v1/trainers/{trainerId}","type":"application/json","answers":[200],"hasBody":false},
  changeTrainer: {"method":"PATCH","path":"/v1/trainers/{trainerId}","type":"application/json","answers":[200],"hasBody":true},
  listTrainerClients: {"method":"GET","path":"/v1/trainers/{trainerId}/clients","type":"application/json","answers":[200],"hasBody":false},
  assignClient: {"method":"PUT","path":"/v1/trainers/{trainerId}/clients/{memberId}","type":"application/json","answers":[200,201],"hasBody":true},
  endAssignment: {"method":"DELETE","path":"/v1/trainers/{trainerId}/clients/{memberId}","type":"application/json","answers":[204],"hasBody":false},
  startBackfill: {"method":"POST","path":"/v1/backfills","type":"application/json","answers":[202],"hasBody":true},
  listBackfills: {"method":"GET","path":"/v1/backfills","type":"application/json","answers":[200],"hasBody":false},
  startTransfer: {"method":"POST","path":"/v1/transfers","type":"application/json","answers":[202],"hasBody":true},
  listTransfers: {"method":"GET","path":"/v1/transfers","type":"application/json","answers":[200],"hasBody":false},
  getBackfill: {"method":"GET","path":"/v1/backfills/{id}","type":"application/json","answers":[200],"hasBody":false},
  getTransfer: {"method":"GET","path":"/v1/transfers/{id}","type":"application/json","answers":[200],"hasBody":false},
  pauseBackfill: {"method":"POST","path":"/v1/backfills/{id}/pause","type":"application/json","answers":[200],"hasBody":false},
  resumeBackfill: {"method":"POST","path":"/v1/backfills/{id}/resume","type":"application/json","answers":[200],"hasBody":false},
  cancelBackfill: {"method":"POST","path":"/v1/backfills/{id}/cancel","type":"application/json","answers":[200],"hasBody":false},
  retryBackfill: {"method":"POST","path":"/v1/backfills/{id}/retry","type":"application/json","answers":[202],"hasBody":false},
  pauseTransfer: {"method":"POST","path":"/v1/transfers/{id}/pause","type":"application/json","answers":[200],"hasBody":false},
  resumeTransfer: {"method":"POST","path":"/v1/transfers/{id}/resume","type":"application/json","answers":[200],"hasBody":false},
  cancelTransfer: {"method":"POST","path":"/v1/transfers/{id}/cancel","type":"application/json","answers":[200],"hasBody":false},
  retryTransfer: {"method":"POST","path":"/v1/transfers/{id}/retry","type":"application/json","answers":[202],"hasBody":false},
  listBackfillErrors: {"method":"GET","path":"/v1/backfills/{id}/errors","type":"application/json","answers":[200],"hasBody":false},
  listTransferErrors: {"method":"GET","path":"/v1/transfers/{id}/errors","type":"application/json","answers":[200],"hasBody":false},
  followBackfill: {"method":"GET","path":"/v1/backfills/{id}/events","type":"text/event-stream","answers":[200,204],"hasBody":false},
  followTransfer: {"method":"GET","path":"/v1/transfers/{id}/events","type":"text/event-stream","answers":[200,204],"hasBody":false},
  listFailures: {"method":"GET","path":"/v1/failures","type":"application/json","answers":[200],"hasBody":false},
  retryFailures: {"method":"POST","path":"/v1/failures/retry","type":"application/json","answers":[200,202],"hasBody":false},
  getPolicy: {"method":"GET","path":"/v1/policy","type":"application/json","answers":[200],"hasBody":false},
  putPolicy: {"method":"PUT","path":"/v1/policy","type":"application/json","answers":[200],"hasBody":true,"query":["comment"],"headers":{"ifMatch":"If-Match"}},
  listPolicyVersions: {"method":"GET","path":"/v1/policy/versions","type":"application/json","answers":[200],"hasBody":false},
  getPolicyVersion: {"method":"GET","path":"/v1/policy/versions/{version}","type":"application/json","answers":[200],"hasBody":false},
  previewPolicy: {"method":"POST","path":"/v1/policy/preview","type":"application/json","answers":[200],"hasBody":true},
  explainDecision: {"method":"GET","path":"/v1/members/{memberId}/decision","type":"application/json","answers":[200],"hasBody":false},
  listWebhooks: {"method":"GET","path":"/v1/webhooks","type":"application/json","answers":[200],"hasBody":false},
  createWebhook: {"method":"POST","path":"/v1/webhooks","type":"application/json","answers":[201],"hasBody":true},
  getWebhook: {"method":"GET","path":"/v1/webhooks/{id}","type":"application/json","answers":[200],"hasBody":false},
  changeWebhook: {"method":"PATCH","path":"/v1/webhooks/{id}","type":"application/json","answers":[200],"hasBody":true},
  deleteWebhook: {"method":"DELETE","path":"/v1/webhooks/{id}","type":"application/json","answers":[204],"hasBody":false},
  rotateWebhookSecret: {"method":"POST","path":"/v1/webhooks/{id}/secret","type":"application/json","answers":[200],"hasBody":true},
  listDeliveries: {"method":"GET","path":"/v1/webhooks/{id}/deliveries","type":"application/json","answers":[200],"hasBody":false},
  getDelivery: {"method":"GET","path":"/v1/webhooks/{id}/deliveries/{messageId}","type":"application/json","answers":[200],"hasBody":false},
  testWebhook: {"method":"POST","path":"/v1/webhooks/{id}/test","type":"application/json","answers":[202],"hasBody":false},
  redeliverMessage: {"method":"POST","path":"/v1/webhooks/{id}/deliveries/{messageId}/redeliver","type":"application/json","answers":[202],"hasBody":false},
  redeliverFailed: {"method":"POST","path":"/v1/webhooks/{id}/redeliver","type":"application/json","answers":[202],"hasBody":true},
  listEvents: {"method":"GET","path":"/v1/events","type":"application/json","answers":[200],"hasBody":false},
  listAuditLines: {"method":"GET","path":"/v1/audit","type":"application/json","answers":[200],"hasBody":false},
  exportMember: {"method":"GET","path":"/v1/members/{memberId}/export","type":"application/json","answers":[200],"hasBody":false},
  isAlive: {"method":"GET","path":"/livez","type":"application/json","answers":[200],"hasBody":false},
  isReady: {"method":"GET","path":"/readyz","type":"application/json","answers":[200,503],"hasBody":false},
  getMetrics: {"method":"GET","path":"/metrics","type":"text/plain","answers":[200],"hasBody":false},
  getOpenApi: {"method":"GET","path":"/openapi.json","type":"application/json","answers":[200],"hasBody":false},
  getDocs: {"method":"GET","path":"/docs","type":"text/html","answers":[200],"hasBody":false},
} as const;

export interface components {
    schemas: {
        MemberAssignment: {
            memberId: string;
            /** @description The trainer who was checked. If `any` was asked for: the trainer of the assignment, or `any` if there is none. */
            trainerId: string | "any";
            assigned: boolean;
            /** @description The active assignment. Null if there is none. */
            assignment: components["schemas"]["Assignment"] | null;
        };
        Assignment: {
            id: string;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            assignmentDate: string | null;
            /** @description What made the assignment: `trigger`, `retry` (of a failed trigger), `backfill`, `transfer`, `manual` (an admin) or `signup` (a program). */
            source: string;
            notes: string | null;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description Stable. Programs should branch on it. */
            code: string;
            /** @description Also in the header X-Request-Id and in the service's log. */
            requestId: string;
            /** @description Each error in the input, at most 100. */
            errors?: {
                /** @description JSON Pointer (RFC 6901) into `{body, header, path, query}`. */
                pointer: string;
                detail: string;
            }[];
        } & {
            [key: string]: unknown;
        };
        CheckResults: {
            /** @description The trainer who was checked; `any` if that was asked for. */
            trainerId: string | "any";
            results: {
                memberId: string;
                assigned: boolean;
            }[];
        };
        CheckRequest: {
            memberIds: string[];
            /** @description A trainer's id; `any`: an active assignment to anybody counts. By default the default trainer. */
            trainerId?: string | "any";
        };
        FoundMembers: {
            members: components["schemas"]["FoundMember"][];
            /** @description True: only the first 20,000 members were searched, and there may be other matches. A trigram index on the columns makes searches complete. */
            partial: boolean;
            /** @description True: there are more matches than `limit`. Search for a longer text. */
            more: boolean;
        };
        FoundMember: {
            memberId: string;
            /** @description From the column `MEMBER_NAME_COLUMN`. Null: the member has none, or there is no such column. */
            name: string | null;
            /** @description From the column `MEMBER_EMAIL_COLUMN`, likewise. */
            email: string | null;
        };
        AssignmentsOfMemberPage: {
            memberId: string;
            assignments: components["schemas"]["AssignmentOfMember"][];
            next: string | null;
        };
        AssignmentOfMember: {
            id: string;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            assignmentDate: string | null;
            /** @description What made the assignment: `trigger`, `retry` (of a failed trigger), `backfill`, `transfer`, `manual` (an admin) or `signup` (a program). */
            source: string;
            notes: string | null;
            /** @description Who assigned, or started the run that did: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            assignedBy: string;
            /** @description The version of the policy that chose the trainer. Null: the trainer was named. */
            policyVersion: number | null;
            /** @description The rule that chose the trainer, by its position in that version, from 1. Null: the default trainer, or a trainer who was named. */
            rule: number | null;
            /** @description When the assignment ended. Null if it is active, or ended at a time out of range. */
            endedAt: string | null;
            /** @description Who ended it, likewise. Null: it is active. */
            endedBy: string | null;
            /** @description Why it ended: `manual` (an admin), `transfer`, `reassign` (the policy chose another trainer) or `direct` (past the service). Null: it is active. */
            endedBecause: string | null;
            /** @description Null: the trainer is no longer a member. */
            trainerId: string | null;
            /** @enum {string} */
            status: "active" | "inactive";
            /** @description The run that made it. */
            backfillRunId: string | null;
            /** @description The run that ended it. */
            endedRunId: string | null;
            /** @description The name of the rule in that version of the policy. Null: the default trainer. */
            ruleName: string | null;
        };
        MemberEventAnswer: {
            /** @enum {string} */
            outcome: "created" | "known" | "duplicate" | "ignored" | "refused";
            /** @description Null if the event is ignored. */
            memberId: string | null;
            /**
             * @description Null unless the event is refused.
             * @enum {string|null}
             */
            reason: "id_missing" | "value_missing" | "email_taken" | "refused" | "column_missing" | "not_granted" | "table_unfit" | null;
            /** @description What to do about a refusal. */
            detail: string | null;
        };
        MemberEventFailurePage: {
            failures: components["schemas"]["MemberEventFailure"][];
            next: string | null;
        };
        MemberEventFailure: {
            id: string;
            eventId: string;
            eventType: string;
            /** @description Who would have been created; null if the event names nobody. */
            memberId: string | null;
            /** @enum {string} */
            reason: "id_missing" | "value_missing" | "email_taken" | "refused" | "column_missing" | "not_granted" | "table_unfit";
            /** @description What to do. */
            detail: string;
            attempts: number;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            firstFailedAt: string | null;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            lastFailedAt: string | null;
        };
        TrainerPage: {
            trainers: components["schemas"]["Trainer"][];
            next: string | null;
        };
        Trainer: {
            trainerId: string;
            /** @description From the column `MEMBER_NAME_COLUMN`. Null: the member has none, or there is no such column. */
            name: string | null;
            /** @description From the column `MEMBER_EMAIL_COLUMN`, likewise. */
            email: string | null;
            /** @description Active clients. */
            clients: number;
            /** @description The most active clients that are assigned automatically. Null: no limit. */
            capacity: number | null;
            /** @description Free places: `capacity` minus `clients`, 0 if there are more clients than that. Null: no limit. */
            room: number | null;
            /** @description False: nobody is assigned automatically, whatever the room. */
            acceptsClients: boolean;
            /** @description For admins. */
            note: string | null;
            /** @description When the settings last changed. Null: never. */
            updatedAt: string | null;
            /** @description Who changed them. */
            updatedBy: string | null;
        };
        TrainerChange: {
            /** @description The most active clients that are assigned automatically. Null: no limit. */
            capacity?: number | null;
            /** @description False: nobody is assigned automatically, whatever the room. */
            acceptsClients?: boolean;
            /** @description For admins. */
            note?: string | null;
        };
        ClientPage: {
            trainerId: string;
            clients: components["schemas"]["Client"][];
            next: string | null;
        };
        Client: {
            clientId: string;
            assignmentId: string;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            assignmentDate: string | null;
            /** @enum {string} */
            status: "active" | "inactive";
            /** @description What made the assignment: `trigger`, `retry` (of a failed trigger), `backfill`, `transfer`, `manual` (an admin) or `signup` (a program). */
            source: string;
            /** @description Who assigned, or started the run that did: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            assignedBy: string;
            /** @description The version of the policy that chose the trainer. Null: the trainer was named. */
            policyVersion: number | null;
            /** @description The rule that chose the trainer, by its position in that version, from 1. Null: the default trainer, or a trainer who was named. */
            rule: number | null;
            /** @description When the assignment ended. Null if it is active, or ended at a time out of range. */
            endedAt: string | null;
            /** @description Who ended it, likewise. Null: it is active. */
            endedBy: string | null;
            /** @description Why it ended: `manual` (an admin), `transfer`, `reassign` (the policy chose another trainer) or `direct` (past the service). Null: it is active. */
            endedBecause: string | null;
            notes: string | null;
            /** @description The member's name. Only with `names=true`. */
            memberName?: string | null;
            /** @description The member's e-mail. Only with `names=true`. */
            memberEmail?: string | null;
        };
        AssignRequest: {
            /** @description Free text. */
            notes?: string;
            /**
             * @description True: also if the trainer has no room or accepts no clients.
             * @default false
             */
            force?: boolean;
        };
        Run: {
            id: string;
            /**
             * @description `backfill` passes over all members, `transfer` over the clients of one trainer.
             * @enum {string}
             */
            kind: "backfill" | "transfer";
            /** @description Of a transfer: the trainer whose clients it moves. */
            fromTrainerId: string | null;
            /** @description Whom the run assigns to. Null: the policy has to choose for each member. */
            trainerId: string | null;
            /** @description The version of the policy that the run follows from its start to its end. Null if the run was started for a trainer. */
            policyVersion: number | null;
            status: components["schemas"]["RunStatus"];
            /** @description True: the run counts what would happen and assigns nobody. */
            dryRun: boolean;
            /** @description True: the run also replaces what the policy chose and would no longer choose. */
            reassign: boolean;
            /** @description True: the transfer moves the `memberIds` that it was started with, and no others. */
            onlySelected: boolean;
            condition: components["schemas"]["Condition"];
            /** @description Of a transfer: the notes of the new assignments. Null: those of the ended ones. */
            notes: string | null;
            /** @description Who started the run: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            requestedBy: string;
            requestedAt: string;
            startedAt: string | null;
            finishedAt: string | null;
            /** @description Members to process. Exact once the run has ended. */
            total: number;
            /** @description True while `total` is an estimate: above a million members. */
            totalIsEstimate: boolean;
            /** @description Always `successful` + `skipped` + `failed`. */
            processed: number;
            /** @description Members that the run assigned or moved, or in a dry run would. */
            successful: number;
            /** @description Members for whom there was nothing to do; `skippedBecause` has the reasons. */
            skipped: number;
            /** @description `ended`: the assignment was ended on purpose. `memberGone`: the member was deleted meanwhile. `excluded`: the policy chooses nobody for the member. `notSelected`: the member does not match the transfer's condition, or is not a client of the trainer (any more). */
            skippedBecause: {
                alreadyAssigned: number;
                ended: number;
                isTrainer: number;
                memberGone: number;
                excluded: number;
                notSelected: number;
            };
            /** @description Members who could not be assigned or moved. */
            failed: number;
            /** @description How many members each rule gave to each trainer, or in a dry run would give: the 1,000 largest. Empty if all members get the same trainer (`trainerId`). A rule that chooses `all` counts a member once for each trainer, so the sum can exceed `successful`. */
            choices: {
                /** @description The rule's position in the policy, from 1. Null: the default trainer. */
                rule: number | null;
                /** @description The name of the rule in that version of the policy. Null: the default trainer. */
                ruleName: string | null;
                trainerId: string;
                members: number;
            }[];
            /** @description Members whom the run missed: neither assigned, or moved, nor recorded as failed. Counted when it ends. Null before. */
            remaining: number | null;
            /** @description Members per second. */
            ratePerSecond: number | null;
            /** @description Seconds until the run ends. Null while it is measured, paused or throttled. */
            etaSeconds: number | null;
            /** @description Fixed rows per batch. Null: adapted to the speed of the database. */
            batchRows: number | null;
            /** @description The run whose failed members this run retries. */
            retryOf: string | null;
            /** @description The last error, if the run paused itself. */
            pauseReason: string | null;
            /** @description Why the run waits: a standby lags, or sessions wait for locks. Null while it works. */
            throttledBecause: string | null;
            /** @description What the run last measured: a number, `none`, or `unavailable` without the permission to look. Null before the first measurement. */
            probes: {
                replicaLag: string | null;
                lockWaiters: string | null;
            };
            /** @description The first 20 errors. The operation that lists the run's errors has all. */
            errors: components["schemas"]["RunError"][];
            /** @description Every change of status, oldest first. */
            history: {
                at: string;
                /** @description Who changed it, named as in `requestedBy`. */
                actor: string;
                from: components["schemas"]["RunStatus"] | null;
                to: components["schemas"]["RunStatus"];
                reason: string | null;
            }[];
        };
        /** @enum {string} */
        RunStatus: "running" | "paused" | "cancelled" | "succeeded" | "completed_with_errors";
        /** @description Of a transfer: it moves only clients who match it. Null: all. */
        Condition: components["schemas"]["Test"] | {
            all: components["schemas"]["Condition"][];
        } | {
            any: components["schemas"]["Condition"][];
        } | {
            not: components["schemas"]["Condition"];
        } | null;
        /** @description A test of one field of the member's row. */
        Test: {
            /** @description A column of `members`, or with dots a path into a json column. */
            field: string;
            /**
             * @description How `field` is compared with `value`. A field that is absent or null matches `missing` only.
             * @enum {string}
             */
            op: "eq" | "ne" | "in" | "not_in" | "lt" | "lte" | "gt" | "gte" | "exists" | "missing" | "starts_with" | "contains";
            /** @description A list of 1 to 100 with `in` and `not_in`; left out with `exists` and `missing`. Dates and times are ISO 8601, without a zone in UTC. */
            value?: string | number | boolean | (string | number | boolean)[];
        };
        RunError: {
            memberId: string;
            /** @description The SQLSTATE: PostgreSQL's, or one of this service (`TA…`). */
            code: string;
            message: string;
        };
        StartBackfillRequest: {
            /** @description Assign everybody to this trainer. By default the policy in force chooses. */
            trainerId?: string;
            /**
             * @description True: also move members whom the policy, or an earlier version of it, gave a trainer that it would no longer give them. What a person assigned stays. Not together with `trainerId`.
             * @default false
             */
            reassign?: boolean;
            /**
             * @description True: count what would happen and change nothing.
             * @default false
             */
            dryRun?: boolean;
            /** @description Fixed rows per batch. By default they adapt to the speed of the database. */
            batchRows?: number;
        };
        StartTransferRequest: {
            /** @description The trainer whose clients are moved. */
            fromTrainerId: string;
            /** @description Who takes them over. By default the policy in force chooses for each client. */
            trainerId?: string;
            /** @description Move these clients only. By default all. */
            memberIds?: string[];
            /** @description Move only clients who match it. Together with `memberIds`: those of the listed who match it. */
            condition?: components["schemas"]["Condition"];
            /** @description The notes of the new assignments. By default those of the ended ones. */
            notes?: string;
            /**
             * @description True: count what would happen and change nothing.
             * @default false
             */
            dryRun?: boolean;
            /** @description Fixed rows per batch. By default they adapt to the speed of the database. */
            batchRows?: number;
        };
        RunPage: {
            runs: components["schemas"]["Run"][];
            next: string | null;
        };
        RunErrorPage: {
            runId: string;
            errors: components["schemas"]["NamedRunError"][];
            next: string | null;
        };
        NamedRunError: components["schemas"]["RunError"] & {
            /** @description The member's name. Only with `names=true`. */
            memberName?: string | null;
            /** @description The member's e-mail. Only with `names=true`. */
            memberEmail?: string | null;
        };
        FailurePage: {
            failures: components["schemas"]["Failure"][];
            next: string | null;
        };
        Failure: {
            memberId: string;
            /** @description The trainer of the last attempt. Null: the policy was to choose one, or names no default trainer. */
            trainerId: string | null;
            sqlstate: string;
            message: string;
            source: string;
            attempts: number;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            firstFailedAt: string | null;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            lastFailedAt: string | null;
            /** @description Null if the database has infinity or a year outside 1 to 9999. */
            nextAttemptAt: string | null;
        };
        RetrySummary: {
            retried: number;
            succeeded: number;
            failed: number;
        };
        RetryProgress: components["schemas"]["RetrySummary"] & {
            /** @description Failures that are due and have not been tried yet. */
            remaining: number;
        };
        Policy: {
            /** @description 1, 2, 3, … */
            version: number;
            /** @description What its author said of it. */
            comment: string | null;
            createdAt: string;
            /** @description Who made the version: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            createdBy: string;
            policy: components["schemas"]["PolicyDocument"];
        };
        PolicyDocument: {
            /** @description The trainer of members whom no rule takes. Null: nobody; a member whom no rule takes is a recorded failure. */
            defaultTrainerId: string | null;
            /** @description Whether members with any active assignment get no further trainer. False: only an assignment, active or ended, to a trainer of the rule counts. */
            respectsOtherTrainers: boolean;
            rules: components["schemas"]["Rule"][];
        };
        /** @description Whom it is for (`when`; left out: every member), and whom they get (`assign`). The first rule that matches and has a trainer to give decides. */
        Rule: {
            /** @description For people. No two rules may have the same. */
            name: string;
            when?: components["schemas"]["Condition"] & unknown;
            assign: components["schemas"]["Choice"];
        };
        /** @description Whom the rule assigns. `nobody`: the members stay without a trainer. `field`: the trainer named in the member's row. `all`: each of the trainers. `spread`: one of them, by weight. `most_room`: the one with the largest share of free places. */
        Choice: {
            /** @enum {string} */
            choose: "nobody";
        } | {
            /** @enum {string} */
            choose: "field";
            /** @description The field with the trainer's id. If it names nobody, the rule does not match. */
            field: string;
            /**
             * @description If no trainer of the rule has room. `next`: go on with the rules after it. `wait`: the member waits, as a failure that is retried as soon as there is room.
             * @default next
             * @enum {string}
             */
            whenFull?: "next" | "wait";
        } | {
            /** @enum {string} */
            choose: "all" | "spread" | "most_room";
            trainers: {
                trainerId: string;
                /**
                 * @description For `spread`: a trainer with weight 2 gets twice as many members as one with 1.
                 * @default 1
                 */
                weight?: number;
            }[];
            /**
             * @description If no trainer of the rule has room. `next`: go on with the rules after it. `wait`: the member waits, as a failure that is retried as soon as there is room.
             * @default next
             * @enum {string}
             */
            whenFull?: "next" | "wait";
        };
        WrittenPolicy: components["schemas"]["Policy"] & {
            /** @description What is probably a mistake, such as a rule that never matches. */
            warnings: components["schemas"]["Warning"][];
        };
        Warning: {
            /** @description JSON Pointer (RFC 6901) into `{body}`. */
            pointer: string;
            detail: string;
        };
        /** @description A policy: who trains whom. */
        PolicyRequest: {
            /** @description The trainer of members whom no rule takes. Null: nobody; a member whom no rule takes is a recorded failure. */
            defaultTrainerId: string | null;
            /**
             * @description Whether members with any active assignment get no further trainer. False: only an assignment, active or ended, to a trainer of the rule counts.
             * @default false
             */
            respectsOtherTrainers?: boolean;
            /** @default [] */
            rules?: components["schemas"]["Rule"][];
        };
        PolicyVersionPage: {
            versions: components["schemas"]["PolicyVersion"][];
            next: string | null;
        };
        PolicyVersion: {
            /** @description 1, 2, 3, … */
            version: number;
            /** @description What its author said of it. */
            comment: string | null;
            createdAt: string;
            /** @description Who made the version: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            createdBy: string;
            defaultTrainerId: string | null;
            /** @description How many rules it has. */
            rules: number;
        };
        PolicyPreview: {
            /** @description Members looked at. All other counts are of these. */
            members: number;
            /** @description Whether they are a random sample of all members. */
            isSample: boolean;
            /** @description The share of all members; 100 if all were looked at. */
            percent: number;
            /** @description What a backfill by this policy would do now. */
            outcomes: {
                /** @description The rule's position in the policy, from 1. Null: the default trainer. */
                rule: number | null;
                trainerId: string | null;
                /**
                 * @description `assign`: would be assigned to `trainerId`. `excluded`: the rule chooses nobody. `already_assigned`: has an assignment that meets the policy. `ended`: such an assignment was ended and is not replaced. `is_trainer`: is the default trainer. `no_room`: no trainer has room; would be recorded as a failure.
                 * @enum {string}
                 */
                outcome: "assign" | "excluded" | "already_assigned" | "ended" | "is_trainer" | "no_room";
                members: number;
            }[];
            /** @description Members who would get other trainers, if they signed up now, than by the policy in force. */
            changed: number;
            /** @description Who would train the members, if all of them signed up now and every trainer had room. */
            shares: {
                /** @description Null: no trainer. */
                trainerId: string | null;
                /** @description By the policy in force. */
                before: number;
                /** @description By this policy. */
                after: number;
            }[];
        };
        PreviewRequest: {
            policy?: components["schemas"]["PolicyRequest"];
        };
        Decision: {
            memberId: string;
            policyVersion: number;
            /** @description What a backfill would do with the member now. More than one if the rule chooses `all`. */
            choices: {
                /**
                 * @description `assign`: would be assigned to `trainerId`. `excluded`: the rule chooses nobody. `already_assigned`: has an assignment that meets the policy. `ended`: such an assignment was ended and is not replaced. `is_trainer`: is the default trainer. `no_room`: no trainer has room; would be recorded as a failure.
                 * @enum {string}
                 */
                outcome: "assign" | "excluded" | "already_assigned" | "ended" | "is_trainer" | "no_room";
                /** @description The rule's position in the policy, from 1. Null: the default trainer. */
                rule: number | null;
                trainerId: string | null;
            }[];
            rules: {
                rule: number;
                name: string;
                /** @description Whether the member meets the rule's condition. */
                matches: boolean;
                trainers: {
                    trainerId: string;
                    isMember: boolean;
                    acceptsClients: boolean;
                    /** @description Free places. Null: no limit. */
                    room: number | null;
                }[];
            }[];
        };
        WebhookPage: {
            webhooks: components["schemas"]["Webhook"][];
            next: string | null;
        };
        Webhook: {
            id: string;
            /** @description Where messages are sent; for viewers its origin and `/…`. Null: nowhere; consumers fetch them with GET /v1/events. */
            url: string | null;
            /** @description For admins. */
            description: string | null;
            /** @description The types of the messages that it gets. */
            types: components["schemas"]["MessageType"][];
            /** @description False: nothing is sent to it. */
            enabled: boolean;
            /**
             * @description Why the service disabled it: `gone` (it answered 410) or `failing` (five days without a success).
             * @enum {string|null}
             */
            disabledBecause: "gone" | "failing" | null;
            /** @description When the first of the failures since the last success was. Null: there is none. */
            failingSince: string | null;
            /** @description Messages that wait to be sent, or sent again; counted up to 10,001. */
            pending: number;
            /** @description Messages given up within the last 30 days; counted likewise. */
            failed: number;
            /** @description When the oldest message that waits was written. Null: none waits. */
            oldestPendingAt: string | null;
            /** @description Until when messages are also signed with the former secret. Null: there is one secret. */
            formerSecretUntil: string | null;
            createdAt: string;
            createdBy: string;
            updatedAt: string;
            /** @description `service`: it disabled the webhook. */
            updatedBy: string;
        };
        /** @enum {string} */
        MessageType: "assignments.created" | "assignments.ended" | "assignment.failed" | "run.ended" | "policy.changed";
        WebhookWithSecret: {
            id: string;
            /** @description Where messages are sent; for viewers its origin and `/…`. Null: nowhere; consumers fetch them with GET /v1/events. */
            url: string | null;
            /** @description For admins. */
            description: string | null;
            /** @description The types of the messages that it gets. */
            types: components["schemas"]["MessageType"][];
            /** @description False: nothing is sent to it. */
            enabled: boolean;
            /**
             * @description Why the service disabled it: `gone` (it answered 410) or `failing` (five days without a success).
             * @enum {string|null}
             */
            disabledBecause: "gone" | "failing" | null;
            /** @description When the first of the failures since the last success was. Null: there is none. */
            failingSince: string | null;
            /** @description Messages that wait to be sent, or sent again; counted up to 10,001. */
            pending: number;
            /** @description Messages given up within the last 30 days; counted likewise. */
            failed: number;
            /** @description When the oldest message that waits was written. Null: none waits. */
            oldestPendingAt: string | null;
            /** @description Until when messages are also signed with the former secret. Null: there is one secret. */
            formerSecretUntil: string | null;
            createdAt: string;
            createdBy: string;
            updatedAt: string;
            /** @description `service`: it disabled the webhook. */
            updatedBy: string;
            /** @description The signing secret, in this answer only. Null: nothing is sent, so nothing is signed. */
            secret: string | null;
        };
        CreateWebhookRequest: {
            /** @description Null: messages are kept for consumers who fetch them. */
            url: string | null;
            /** @description The types of the messages that it gets. */
            types: components["schemas"]["MessageType"][];
            /** @description For admins. */
            description?: string | null;
            /** @description The signing secret: `whsec_` and base64 of 24 to 64 bytes. By default one is made. */
            secret?: string;
        };
        WebhookChange: {
            /** @description https to an address of the public internet, without user name and password; with `WEBHOOK_ALLOW_PRIVATE` http and any address. */
            url?: string;
            /** @description The types of the messages that it gets. */
            types?: components["schemas"]["MessageType"][];
            /** @description For admins. */
            description?: string | null;
            /** @description True also forgets former failures. */
            enabled?: boolean;
        };
        RotateSecretRequest: {
            /** @description The signing secret: `whsec_` and base64 of 24 to 64 bytes. By default one is made. */
            secret?: string;
        };
        DeliveryPage: {
            deliveries: components["schemas"]["Delivery"][];
            next: string | null;
        };
        Delivery: {
            /** @description The `webhook-id` of the message. */
            messageId: string;
            type: components["schemas"]["MessageType"];
            /** @description True: somebody sent it to see whether it arrives. */
            isTest: boolean;
            /** @description When the change was made that it tells of. */
            at: string;
            /**
             * @description `pending`: it is tried (again) at `nextAttemptAt`. `failed`: given up. `dropped`: the members that it told of are deleted.
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "dropped";
            /** @description Attempts so far, since it was last sent again. */
            attempts: number;
            /** @description Null: it is not tried again. */
            nextAttemptAt: string | null;
            lastAttemptAt: string | null;
            /** @description The HTTP status of the last answer. Null: there was none. */
            lastStatus: number | null;
            /** @description Why there was no answer, or why it does not count as success. */
            lastError: string | null;
            /** @description The first 2,000 characters of the last answer. */
            lastAnswer: string | null;
            /** @description Milliseconds that the last attempt took. */
            lastTookMs: number | null;
            /** @description When it was delivered, given up or dropped. */
            endedAt: string | null;
        };
        DeliveryWithBody: {
            /** @description The `webhook-id` of the message. */
            messageId: string;
            type: components["schemas"]["MessageType"];
            /** @description True: somebody sent it to see whether it arrives. */
            isTest: boolean;
            /** @description When the change was made that it tells of. */
            at: string;
            /**
             * @description `pending`: it is tried (again) at `nextAttemptAt`. `failed`: given up. `dropped`: the members that it told of are deleted.
             * @enum {string}
             */
            status: "pending" | "delivered" | "failed" | "dropped";
            /** @description Attempts so far, since it was last sent again. */
            attempts: number;
            /** @description Null: it is not tried again. */
            nextAttemptAt: string | null;
            lastAttemptAt: string | null;
            /** @description The HTTP status of the last answer. Null: there was none. */
            lastStatus: number | null;
            /** @description Why there was no answer, or why it does not count as success. */
            lastError: string | null;
            /** @description The first 2,000 characters of the last answer. */
            lastAnswer: string | null;
            /** @description Milliseconds that the last attempt took. */
            lastTookMs: number | null;
            /** @description When it was delivered, given up or dropped. */
            endedAt: string | null;
            /** @description What is sent: `type`, `timestamp` and `data`, made from the rows as they are now. Null: there is nothing left to tell. */
            body: {
                [key: string]: unknown;
            } | null;
        };
        SentTest: {
            /** @description The `webhook-id` of the message. */
            messageId: string;
        };
        Redelivery: {
            /** @description How many messages are sent again. */
            messages: number;
        };
        RedeliverRequest: {
            /** @description Messages that were given up at this time or later. */
            failedSince: string;
        };
        EventPage: {
            events: components["schemas"]["Event"][];
            /** @description Send it as `after` to go on. It is there at the end too: ask again with it later. */
            next: string;
        };
        Event: {
            /** @description The `webhook-id` of the message. */
            id: string;
            type: components["schemas"]["MessageType"];
            /** @description When the change was made. */
            timestamp: string;
            /** @description The same as in a message that is sent. */
            data: {
                [key: string]: unknown;
            };
        };
        AuditPage: {
            lines: components["schemas"]["AuditLine"][];
            next: string | null;
        };
        AuditLine: {
            id: string;
            at: string;
            /** @description Who did it: a token's name; `jwt:` or `oidc:` and who it is; `cli:` and a user, or `cli`; what a program calls itself, or else its database role; of the service itself `trigger`, `retry`, `schedule`, `service`, or `migration` for version 1 of the policy. */
            actor: string;
            /** @description The role of the database session, which no caller can choose. */
            databaseRole: string;
            action: components["schemas"]["AuditAction"];
            /** @description To what: a kind and an id. Null: nothing in particular. */
            subject: string | null;
            /** @description If the subject is an assignment that still exists: the client. Else null. */
            memberId: string | null;
            /** @description If the subject is an assignment that still exists: its trainer, unless deleted. Else null. */
            trainerId: string | null;
            /** @description The trainers whom it concerns. */
            trainerIds: string[];
            /** @description What was before. Null: nothing, or nothing that matters. */
            before: {
                [key: string]: unknown;
            } | null;
            /** @description What was then. */
            after: {
                [key: string]: unknown;
            } | null;
            /** @description The id of the HTTP request, as in its header X-Request-Id and in the service's log. */
            requestId: string | null;
        };
        /** @enum {string} */
        AuditAction: "policy.changed" | "trainer.changed" | "assignment.made" | "assignment.ended" | "assignments.changed" | "assignments.deleted" | "members.deleted" | "failures.retried" | "run.started" | "run.paused" | "run.resumed" | "run.cancelled" | "run.ended" | "webhook.created" | "webhook.changed" | "webhook.deleted" | "webhook.disabled" | "webhook.redelivered" | "webhook.tested" | "session.started" | "session.ended" | "access.refused" | "audit.forgotten";
        MemberExport: {
            memberId: string;
            /** @description The columns of the member's row that the service may read. The table may have others. */
            columns: string[];
            /** @description The member's row, as the application's table has it. */
            member: {
                [key: string]: unknown;
            };
            /** @description The failed auto-assignment that waits for a retry. */
            failure: {
                trainerId: string | null;
                requestedTrainerId: string | null;
                rule: number | null;
                sqlstate: string;
                message: string;
                source: string;
                attempts: number;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                firstFailedAt: string | null;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                lastFailedAt: string | null;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                nextAttemptAt: string | null;
            } | null;
            /** @description The runs that could not assign the member, and why. */
            runErrors: {
                runId: string;
                code: string;
                message: string;
            }[];
            /** @description Events of the identity provider that could not be taken. */
            eventFailures: {
                eventId: string;
                eventType: string;
                /** @enum {string} */
                reason: "id_missing" | "value_missing" | "email_taken" | "refused" | "column_missing" | "not_granted" | "table_unfit";
                detail: string;
                attempts: number;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                firstFailedAt: string | null;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                lastFailedAt: string | null;
            }[];
            /** @description The transfers that were asked to move the member by id. */
            selectedByRuns: string[];
            /** @description The settings as a trainer. */
            trainerSettings: {
                capacity: number | null;
                acceptsClients: boolean;
                note: string | null;
                /** @description Null if the database has infinity or a year outside 1 to 9999. */
                updatedAt: string | null;
                updatedBy: string | null;
            } | null;
            /** @description Runs that gave or took clients. */
            trainerInRuns: string[];
            /** @description Versions of the policy that name the trainer. */
            trainerInPolicyVersions: number[];
            /** @description The newest first. */
            assignmentsAsClient: components["schemas"]["AssignmentOfMember"][];
            /** @description The oldest first, active and ended. They are about other members, too. */
            assignmentsAsTrainer: components["schemas"]["Client"][];
            /** @description What GET /v1/audit finds with `memberId`. */
            auditLines: components["schemas"]["AuditLine"][];
        };
        Health: {
            /** @description The version of the service. */
            version: string;
            /** @enum {string} */
            status: "ready" | "degraded" | "unavailable" | "stopping";
            checks: {
                database: components["schemas"]["Check"];
                migrations: components["schemas"]["Check"];
                schema: components["schemas"]["Check"] & unknown;
                trigger: components["schemas"]["Check"];
                defaultTrainer: components["schemas"]["Check"];
                policy: components["schemas"]["Check"] & unknown;
                failures: components["schemas"]["Check"] & unknown;
                access: components["schemas"]["Check"];
                names: components["schemas"]["Check"] & unknown;
                memberHook: components["schemas"]["Check"] & unknown;
            };
        };
        Check: {
            /** @enum {string} */
            status: "ok" | "degraded" | "failed";
            detail: string;
        };
        /** @enum {string} */
        ProblemCode: "assignment_failed" | "assignment_not_found" | "backfill_active" | "body_too_large" | "cursor_expired" | "database_busy" | "database_unavailable" | "delivery_not_found" | "forbidden" | "identity_provider_unavailable" | "internal_error" | "invalid_cursor" | "invalid_request" | "invalid_transition" | "member_is_trainer" | "member_not_found" | "no_room" | "no_successor" | "not_acceptable" | "policy_changed" | "policy_invalid" | "policy_version_not_found" | "precondition_required" | "rate_limited" | "request_timeout" | "rows_hidden" | "run_not_found" | "too_many_streams" | "trainer_not_found" | "transfer_active" | "unauthorized" | "unsupported_media_type" | "webhook_has_no_url" | "webhook_not_found" | "webhooks_not_configured";
        Operations: {
            getMemberAssignment: {
                input: {
                    memberId: string;
                    /** @description A trainer's id; `any`: an active assignment to anybody counts. By default the default trainer. */
                    trainerId?: string | "any";
                };
                answer: components["schemas"]["MemberAssignment"];
            };
            checkAssignments: {
                input: components["schemas"]["CheckRequest"];
                answer: components["schemas"]["CheckResults"];
            };
            searchMembers: {
                input: {
                    /** @description A part of the name or of the e-mail, without regard to case; or an id, or its beginning. */
                    search: string;
                    /**
                     * @description The most members to return.
                     * @default 20
                     */
                    limit?: number;
                };
                answer: components["schemas"]["FoundMembers"];
            };
            listMemberAssignments: {
                input: {
                    memberId: string;
                    /**
                     * @description `active`: those that stand. `inactive`: those that have ended, with `endedAt`. `all`: both.
                     * @default all
                     * @enum {string}
                     */
                    status?: "active" | "inactive" | "all";
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["AssignmentsOfMemberPage"];
            };
            listMemberEventFailures: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["MemberEventFailurePage"];
            };
            listTrainers: {
                input: {
                    /** @description A part of the name or of the e-mail, without regard to case; or an id, or its beginning. */
                    search?: string;
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["TrainerPage"];
            };
            getTrainer: {
                input: {
                    trainerId: string;
                };
                answer: components["schemas"]["Trainer"];
            };
            changeTrainer: {
                input: {
                    trainerId: string;
                } & components["schemas"]["TrainerChange"];
                answer: components["schemas"]["Trainer"];
            };
            listTrainerClients: {
                input: {
                    trainerId: string;
                    /**
                     * @description `active`: current clients. `inactive`: assignments that have ended, with `endedAt`. `all`: both.
                     * @default active
                     * @enum {string}
                     */
                    status?: "active" | "inactive" | "all";
                    /**
                     * @description `true`: with the members' names and e-mails. This needs the role viewer.
                     * @default false
                     * @enum {string}
                     */
                    names?: "true" | "false";
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["ClientPage"];
                row: components["schemas"]["Client"];
            };
            assignClient: {
                input: {
                    trainerId: string;
                    memberId: string;
                } & components["schemas"]["AssignRequest"];
                answer: components["schemas"]["MemberAssignment"];
            };
            endAssignment: {
                input: {
                    trainerId: string;
                    memberId: string;
                };
                answer: null;
            };
            startBackfill: {
                input: components["schemas"]["StartBackfillRequest"];
                answer: components["schemas"]["Run"];
            };
            listBackfills: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["RunPage"];
            };
            startTransfer: {
                input: components["schemas"]["StartTransferRequest"];
                answer: components["schemas"]["Run"];
            };
            listTransfers: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["RunPage"];
            };
            getBackfill: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            getTransfer: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            pauseBackfill: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            resumeBackfill: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            cancelBackfill: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            retryBackfill: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            pauseTransfer: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            resumeTransfer: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            cancelTransfer: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            retryTransfer: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Run"];
            };
            listBackfillErrors: {
                input: {
                    id: string;
                    /**
                     * @description `true`: with the members' names and e-mails. This needs the role viewer.
                     * @default false
                     * @enum {string}
                     */
                    names?: "true" | "false";
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["RunErrorPage"];
                row: components["schemas"]["NamedRunError"];
            };
            listTransferErrors: {
                input: {
                    id: string;
                    /**
                     * @description `true`: with the members' names and e-mails. This needs the role viewer.
                     * @default false
                     * @enum {string}
                     */
                    names?: "true" | "false";
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["RunErrorPage"];
                row: components["schemas"]["NamedRunError"];
            };
            followBackfill: {
                input: {
                    id: string;
                };
                answer: string | null;
            };
            followTransfer: {
                input: {
                    id: string;
                };
                answer: string | null;
            };
            listFailures: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["FailurePage"];
            };
            retryFailures: {
                input: Record<string, never>;
                answer: components["schemas"]["RetrySummary"] | components["schemas"]["RetryProgress"];
            };
            getPolicy: {
                input: Record<string, never>;
                answer: components["schemas"]["Policy"];
            };
            putPolicy: {
                input: {
                    /** @description Why the policy changes: shown with the version. */
                    comment?: string;
                    /** @description The `ETag` of the version that the change was made from, or `*` to replace any version. */
                    ifMatch: string;
                } & components["schemas"]["PolicyRequest"];
                answer: components["schemas"]["WrittenPolicy"];
            };
            listPolicyVersions: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["PolicyVersionPage"];
            };
            getPolicyVersion: {
                input: {
                    version: number;
                };
                answer: components["schemas"]["Policy"];
            };
            previewPolicy: {
                input: components["schemas"]["PreviewRequest"];
                answer: components["schemas"]["PolicyPreview"];
            };
            explainDecision: {
                input: {
                    memberId: string;
                };
                answer: components["schemas"]["Decision"];
            };
            listWebhooks: {
                input: {
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["WebhookPage"];
            };
            createWebhook: {
                input: components["schemas"]["CreateWebhookRequest"];
                answer: components["schemas"]["WebhookWithSecret"];
            };
            getWebhook: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["Webhook"];
            };
            changeWebhook: {
                input: {
                    id: string;
                } & components["schemas"]["WebhookChange"];
                answer: components["schemas"]["Webhook"];
            };
            deleteWebhook: {
                input: {
                    id: string;
                };
                answer: null;
            };
            rotateWebhookSecret: {
                input: {
                    id: string;
                } & components["schemas"]["RotateSecretRequest"];
                answer: components["schemas"]["WebhookWithSecret"];
            };
            listDeliveries: {
                input: {
                    id: string;
                    /** @enum {string} */
                    status?: "pending" | "delivered" | "failed" | "dropped";
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["DeliveryPage"];
            };
            getDelivery: {
                input: {
                    id: string;
                    /** @description The `webhook-id` of the message. */
                    messageId: string;
                };
                answer: components["schemas"]["DeliveryWithBody"];
            };
            testWebhook: {
                input: {
                    id: string;
                };
                answer: components["schemas"]["SentTest"];
            };
            redeliverMessage: {
                input: {
                    id: string;
                    /** @description The `webhook-id` of the message. */
                    messageId: string;
                };
                answer: components["schemas"]["Redelivery"];
            };
            redeliverFailed: {
                input: {
                    id: string;
                } & components["schemas"]["RedeliverRequest"];
                answer: components["schemas"]["Redelivery"];
            };
            listEvents: {
                input: {
                    /** @description `next` of the previous page, or the id of a streamed event. It fits any `types`. */
                    after?: string;
                    /** @description The types to read, separated by commas. By default all. */
                    types?: string;
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                };
                answer: components["schemas"]["EventPage"];
            };
            listAuditLines: {
                input: {
                    /** @description Lines of this actor, exactly as written. */
                    actor?: string;
                    action?: components["schemas"]["AuditAction"];
                    /** @description Lines that concern it, such as `run:<id>`, `policy:<version>`, `trainer:<id>` or `assignment:<id>`. */
                    subject?: string;
                    /** @description Lines about the member's assignments that still exist, and about the member as a trainer. */
                    memberId?: string;
                    /** @description Lines that concern the trainer. */
                    trainerId?: string;
                    /** @description Lines from this time on. */
                    from?: string;
                    /** @description Lines before this time. */
                    to?: string;
                    /**
                     * @description Rows per page.
                     * @default 100
                     */
                    limit?: number;
                    /** @description `next` of the previous page, unchanged. Without it the list starts at the beginning. */
                    cursor?: string;
                };
                answer: components["schemas"]["AuditPage"];
                row: components["schemas"]["AuditLine"];
            };
            exportMember: {
                input: {
                    memberId: string;
                };
                answer: components["schemas"]["MemberExport"];
            };
            isAlive: {
                input: Record<string, never>;
                answer: {
                    /** @enum {string} */
                    status: "alive";
                };
            };
            isReady: {
                input: Record<string, never>;
                answer: components["schemas"]["Health"];
            };
            getMetrics: {
                input: Record<string, never>;
                answer: string;
            };
            getOpenApi: {
                input: Record<string, never>;
                answer: {
                    openapi: string;
                } & {
                    [key: string]: unknown;
                };
            };
            getDocs: {
                input: Record<string, never>;
                answer: string;
            };
        };
    };
}
export type MemberAssignment = components['schemas']['MemberAssignment'];
export type Assignment = components['schemas']['Assignment'];
export type Problem = components['schemas']['Problem'];
export type CheckResults = components['schemas']['CheckResults'];
export type CheckRequest = components['schemas']['CheckRequest'];
export type FoundMembers = components['schemas']['FoundMembers'];
export type FoundMember = components['schemas']['FoundMember'];
export type AssignmentsOfMemberPage = components['schemas']['AssignmentsOfMemberPage'];
export type AssignmentOfMember = components['schemas']['AssignmentOfMember'];
export type MemberEventAnswer = components['schemas']['MemberEventAnswer'];
export type MemberEventFailurePage = components['schemas']['MemberEventFailurePage'];
export type MemberEventFailure = components['schemas']['MemberEventFailure'];
export type TrainerPage = components['schemas']['TrainerPage'];
export type Trainer = components['schemas']['Trainer'];
export type TrainerChange = components['schemas']['TrainerChange'];
export type ClientPage = components['schemas']['ClientPage'];
export type Client = components['schemas']['Client'];
export type AssignRequest = components['schemas']['AssignRequest'];
export type Run = components['schemas']['Run'];
export type RunStatus = components['schemas']['RunStatus'];
export type Condition = components['schemas']['Condition'];
export type Test = components['schemas']['Test'];
export type RunError = components['schemas']['RunError'];
export type StartBackfillRequest = components['schemas']['StartBackfillRequest'];
export type StartTransferRequest = components['schemas']['StartTransferRequest'];
export type RunPage = components['schemas']['RunPage'];
export type RunErrorPage = components['schemas']['RunErrorPage'];
export type NamedRunError = components['schemas']['NamedRunError'];
export type FailurePage = components['schemas']['FailurePage'];
export type Failure = components['schemas']['Failure'];
export type RetrySummary = components['schemas']['RetrySummary'];
export type RetryProgress = components['schemas']['RetryProgress'];
export type Policy = components['schemas']['Policy'];
export type PolicyDocument = components['schemas']['PolicyDocument'];
export type Rule = components['schemas']['Rule'];
export type Choice = components['schemas']['Choice'];
export type WrittenPolicy = components['schemas']['WrittenPolicy'];
export type Warning = components['schemas']['Warning'];
export type PolicyRequest = components['schemas']['PolicyRequest'];
export type PolicyVersionPage = components['schemas']['PolicyVersionPage'];
export type PolicyVersion = components['schemas']['PolicyVersion'];
export type PolicyPreview = components['schemas']['PolicyPreview'];
export type PreviewRequest = components['schemas']['PreviewRequest'];
export type Decision = components['schemas']['Decision'];
export type WebhookPage = components['schemas']['WebhookPage'];
export type Webhook = components['schemas']['Webhook'];
export type MessageType = components['schemas']['MessageType'];
export type WebhookWithSecret = components['schemas']['WebhookWithSecret'];
export type CreateWebhookRequest = components['schemas']['CreateWebhookRequest'];
export type WebhookChange = components['schemas']['WebhookChange'];
export type RotateSecretRequest = components['schemas']['RotateSecretRequest'];
export type DeliveryPage = components['schemas']['DeliveryPage'];
export type Delivery = components['schemas']['Delivery'];
export type DeliveryWithBody = components['schemas']['DeliveryWithBody'];
export type SentTest = components['schemas']['SentTest'];
export type Redelivery = components['schemas']['Redelivery'];
export type RedeliverRequest = components['schemas']['RedeliverRequest'];
export type EventPage = components['schemas']['EventPage'];
export type Event = components['schemas']['Event'];
export type AuditPage = components['schemas']['AuditPage'];
export type AuditLine = components['schemas']['AuditLine'];
export type AuditAction = components['schemas']['AuditAction'];
export type MemberExport = components['schemas']['MemberExport'];
export type Health = components['schemas']['Health'];
export type Check = components['schemas']['Check'];
export type ProblemCode = components['schemas']['ProblemCode'];
export type Operations = components['schemas']['Operations'];
