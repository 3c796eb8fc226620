import { testExperiment } from "../test_experiment.ts";
import { everyday } from "./everyday.ts";

testExperiment(everyday);
