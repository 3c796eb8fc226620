import { testExperiment } from "../test_experiment.ts";
import { causesOfFailure } from "./causes.ts";

testExperiment(causesOfFailure);
