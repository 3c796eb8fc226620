/**
 * Unpacks npm's Chromium into the temporary folder, with the libraries that a bare system lacks, and prints how to start
 * it. Run by ../browser.ts under a configuration of its own. The arguments that the package proposes stay out: they are
 * for other surroundings, and switch off web security.
 */
import chromium, { inflate } from "@sparticuz/chromium";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packaged = dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium")));
const libraries = await inflate(join(packaged, "..", "bin", "al2023.tar.br"));
const executablePath = await chromium.executablePath();
console.log(JSON.stringify({
  executablePath,
  env: {
    LD_LIBRARY_PATH: join(libraries, "lib"),
    FONTCONFIG_PATH: join(dirname(executablePath), "fonts"),
  },
}));
