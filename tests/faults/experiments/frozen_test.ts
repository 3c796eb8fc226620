import { testExperiment } from "../test_experiment.ts";
import { frozen } from "./frozen.ts";

testExperiment(frozen);
