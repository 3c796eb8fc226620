import { testExperiment } from "../test_experiment.ts";
import { poisonedLogs } from "./poisoned_logs.ts";

testExperiment(poisonedLogs);
