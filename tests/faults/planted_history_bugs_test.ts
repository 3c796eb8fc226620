import { historyBugs } from "./planted_history_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(historyBugs);
