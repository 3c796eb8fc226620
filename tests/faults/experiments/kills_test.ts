import { testExperiment } from "../test_experiment.ts";
import { kills } from "./kills.ts";

testExperiment(kills);
