// Builds the app where something has changed, and runs it.
//
//     node examples/support/run.mjs "Wo ist mein Paket?"

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { built, here, ready } from "./build.mjs";

ready();
const run = spawnSync(process.execPath, [join(built, "support.js"), "--data", here, ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(run.status ?? 1);
