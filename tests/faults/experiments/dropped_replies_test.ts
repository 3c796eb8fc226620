import { testExperiment } from "../test_experiment.ts";
import { droppedReplies } from "./dropped_replies.ts";

testExperiment(droppedReplies);
