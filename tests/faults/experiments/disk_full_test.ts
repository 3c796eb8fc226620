import { testExperiment } from "../test_experiment.ts";
import { diskFull } from "./disk_full.ts";

testExperiment(diskFull);
