import { testExperiment } from "../test_experiment.ts";
import { byRules } from "./by_rules.ts";

testExperiment(byRules);
