import { testExperiment } from "../test_experiment.ts";
import { failover } from "./failover.ts";

testExperiment(failover);
