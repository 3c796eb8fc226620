import { hostileBugs } from "./planted_hostile_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(hostileBugs);
