import { testExperiment } from "../test_experiment.ts";
import { soak } from "./soak.ts";

testExperiment(soak);
