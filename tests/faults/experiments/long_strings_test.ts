import { testExperiment } from "../test_experiment.ts";
import { longStrings } from "./long_strings.ts";

testExperiment(longStrings);
