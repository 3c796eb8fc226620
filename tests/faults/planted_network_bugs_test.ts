import { networkBugs } from "./planted_network_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(networkBugs);
