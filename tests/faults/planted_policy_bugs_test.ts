import { policyBugs } from "./planted_policy_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(policyBugs);
