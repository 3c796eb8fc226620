import { type Experiment, type ExperimentOptions, Report, sized } from "./experiment.ts";
import { takeDownWorlds } from "./world.ts";

/**
 * Runs an experiment and returns its report. Never throws: an error in it, or that it does not come to its end in time,
 * is a violation as well; whatever it had open is taken down in any case.
 */
export async function carryOut(
  experiment: Experiment,
  options: Omit<ExperimentOptions, "report">,
): Promise<Report> {
  const report = new Report(options.plant !== undefined);
  const deadlineMinutes = sized(options.scale, {
    short: options.onCluster ? 8 : 3, // a crash of a node takes seconds
    full: 120,
    long: 24 * 60,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it takes longer than ${deadlineMinutes} minutes`)),
      deadlineMinutes * 60_000,
    );
  });
  const work = experiment.run({ ...options, report });
  work.catch(() => {}); // after the deadline nobody waits for it
  try {
    await Promise.race([work, deadline]);
  } catch (error) {
    report.violate(
      "the experiment comes to its end",
      error instanceof Error ? error.stack ?? error.message : String(error),
    );
  } finally {
    clearTimeout(timer);
    await takeDownWorlds(report).catch((error) =>
      report.violate("the experiment leaves nothing open", String(error))
    );
  }
  return report;
}

/** The command that repeats a run as nearly as processes allow. */
export function commandOf(
  { name }: Experiment,
  { scale, seed, onCluster = false }: Omit<ExperimentOptions, "report">,
): string {
  return `deno task faults ${name}${scale === "full" ? "" : ` --${scale}`}${
    onCluster ? " --citus" : ""
  } --seed ${seed}`;
}

/** A seed for a run that repeats no other. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
