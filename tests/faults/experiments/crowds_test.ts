import { testExperiment } from "../test_experiment.ts";
import { crowds } from "./crowds.ts";

testExperiment(crowds);
