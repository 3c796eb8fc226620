import { databaseBugs } from "./planted_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(databaseBugs);
