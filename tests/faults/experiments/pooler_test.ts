import { testExperiment } from "../test_experiment.ts";
import { pooler } from "./pooler.ts";

testExperiment(pooler);
