import { testExperiment } from "../test_experiment.ts";
import { canaries } from "./canaries.ts";

testExperiment(canaries);
