import { testExperiment } from "../test_experiment.ts";
import { network } from "./network.ts";

testExperiment(network);
