import { listActiveRuns } from "../../runs/active_runs.ts";
import type { Run } from "../../runs/progress.ts";
import { listRuns } from "../../runs/runs.ts";
import { trainersOf } from "../runs/choices_view.tsx";
import { readThroughput } from "../../runs/throughput.ts";
import type { Services } from "../../http/services.ts";
import { byId, findMembers, listReadableFields } from "../../assignments/member_lookup.ts";
import { readAssignmentState } from "../../operation/assignment_state.ts";
import type { Counts } from "./counts.ts";
import type { OverviewProps } from "./props.ts";

/** A state of the overview, and when it was read. */
export interface OverviewSnapshot extends OverviewProps {
  readAt: Date;
}

/** Reads the overview. */
export interface OverviewReader {
  /** Returns a state that is at most a second old. Throws while the database does not answer. */
  read(): Promise<OverviewSnapshot>;
  /** Returns the last state that could be read. */
  lastKnown(): OverviewSnapshot | undefined;
  /** Makes the next read ask the database again, after a change. */
  expire(): void;
}

const GOOD_FOR_MS = 800;
const RECENT_RUNS = 5;

/** Creates a reader that asks the database about once a second, for all viewers together. */
export function createOverviewReader(services: Services, counts: Counts): OverviewReader {
  const { sql } = services;
  let known: OverviewSnapshot | undefined;
  let goodUntil = 0;
  let reading: Promise<OverviewSnapshot> | undefined;

  async function read(): Promise<OverviewSnapshot> {
    const [state, activeRuns, recentRuns, fields] = await Promise.all([
      readAssignmentState(sql),
      listActiveRuns(sql),
      listRuns(sql, { limit: RECENT_RUNS }),
      listReadableFields(services),
    ]);
    const isStillActive = ({ id }: Run) => activeRuns.some((run) => run.id === id);
    if (known !== undefined && !known.activeRuns.every(isStillActive)) counts.expire(); // a run has ended
    const shownRuns = activeRuns.length > 0 ? activeRuns : recentRuns.slice(0, 1);
    const trainerIds = new Set([...activeRuns, ...recentRuns].flatMap(trainersOf));
    if (state.defaultTrainer !== null) trainerIds.add(state.defaultTrainer.id);
    const [coverage, throughput, trainers] = await Promise.all([
      counts.read(state.defaultTrainer?.id ?? null),
      Promise.all(shownRuns.map(async ({ id }) => [id, await readThroughput(sql, id)] as const)),
      findMembers(services, [...trainerIds]),
    ]);
    const snapshot = {
      state,
      coverage,
      activeRuns,
      recentRuns,
      fields,
      throughput: new Map(throughput),
      trainers: byId(trainers),
      readAt: new Date(),
    };
    known = snapshot;
    return snapshot;
  }

  return {
    read() {
      if (known !== undefined && Date.now() < goodUntil) return Promise.resolve(known);
      if (reading !== undefined) return reading;
      const current = read().then((snapshot) => {
        if (reading === current) goodUntil = Date.now() + GOOD_FOR_MS;
        return snapshot;
      }).finally(() => {
        if (reading === current) reading = undefined;
      });
      reading = current;
      return current;
    },
    lastKnown: () => known,
    expire() {
      goodUntil = 0;
      reading = undefined;
      counts.expire();
    },
  };
}
