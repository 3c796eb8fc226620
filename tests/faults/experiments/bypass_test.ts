import { testExperiment } from "../test_experiment.ts";
import { bypass } from "./bypass.ts";

testExperiment(bypass);
