import { testExperiment } from "../test_experiment.ts";
import { malformed } from "./malformed.ts";

testExperiment(malformed);
