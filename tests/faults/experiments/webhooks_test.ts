import { testExperiment } from "../test_experiment.ts";
import { webhooks } from "./webhooks.ts";

testExperiment(webhooks);
