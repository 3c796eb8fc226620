import { webhookBugs } from "./planted_webhook_bugs.ts";
import { testPlantedBugs } from "./test_planted_bugs.ts";

testPlantedBugs(webhookBugs);
