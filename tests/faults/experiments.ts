import type { Experiment } from "./experiment.ts";
import { byRules } from "./experiments/by_rules.ts";
import { bypass } from "./experiments/bypass.ts";
import { canaries } from "./experiments/canaries.ts";
import { causesOfFailure } from "./experiments/causes.ts";
import { crowds } from "./experiments/crowds.ts";
import { diskFull } from "./experiments/disk_full.ts";
import { droppedReplies } from "./experiments/dropped_replies.ts";
import { everyday } from "./experiments/everyday.ts";
import { failover } from "./experiments/failover.ts";
import { frozen } from "./experiments/frozen.ts";
import { kills } from "./experiments/kills.ts";
import { locks } from "./experiments/locks.ts";
import { rollingUpgrade } from "./experiments/rolling_upgrade.ts";
import { longStrings } from "./experiments/long_strings.ts";
import { malformed } from "./experiments/malformed.ts";
import { pooler } from "./experiments/pooler.ts";
import { network } from "./experiments/network.ts";
import { poisonedLogs } from "./experiments/poisoned_logs.ts";
import { soak } from "./experiments/soak.ts";
import { webhooks } from "./experiments/webhooks.ts";

/** All experiments, in the order in which `deno task faults all` runs them. */
export const experiments: readonly Experiment[] = [
  everyday,
  byRules,
  kills,
  webhooks,
  droppedReplies,
  network,
  frozen,
  locks,
  causesOfFailure,
  diskFull,
  bypass,
  failover,
  pooler,
  rollingUpgrade,
  malformed,
  longStrings,
  poisonedLogs,
  crowds,
  canaries,
  soak,
];
