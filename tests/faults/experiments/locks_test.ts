import { testExperiment } from "../test_experiment.ts";
import { locks } from "./locks.ts";

testExperiment(locks);
