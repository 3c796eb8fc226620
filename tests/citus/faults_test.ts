/** The experiments that run on a cluster, in their short versions: workers crash and come back, shards move. */
import { everyday } from "../faults/experiments/everyday.ts";
import { kills } from "../faults/experiments/kills.ts";
import { testExperiment } from "../faults/test_experiment.ts";

testExperiment(everyday, { onCluster: true });
testExperiment(kills, { onCluster: true });
