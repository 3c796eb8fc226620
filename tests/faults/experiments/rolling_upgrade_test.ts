import { testExperiment } from "../test_experiment.ts";
import { rollingUpgrade } from "./rolling_upgrade.ts";

testExperiment(rollingUpgrade);
