// Builds the app and the package that it stands on into target/examples/support, where something
// has changed: what `npm install aigen && tsc` would do, without a registry.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const sdk = join(root, "sdk/typescript");
const modules = join(process.env.AIGEN_TEST_NODE ?? join(root, "target/node"), "node_modules");
export const built = join(process.env.AIGEN_EXAMPLES_DIR ?? join(root, "target/examples"), "support");
const stamp = join(built, "built");

function newest(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)));
  return Math.max(...files.map((file) => file.mtimeMs));
}

function isBuilt() {
  return existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(newest(here), newest(join(sdk, "src")));
}

function tsc(...args) {
  const compiler = join(modules, "typescript/lib/tsc.js");
  if (!existsSync(compiler)) throw new Error(`there is no ${compiler}\nhint: scripts/setup --tests`);
  const run = spawnSync(process.execPath, [compiler, ...args], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stdout + run.stderr);
}

function build() {
  const aigen = join(built, "node_modules/aigen");
  mkdirSync(aigen, { recursive: true });
  copyFileSync(join(sdk, "package.json"), join(aigen, "package.json"));
  tsc("-p", sdk, "--outDir", join(aigen, "dist"));
  writeFileSync(join(built, "package.json"), '{ "type": "module" }\n');
  for (const name of readdirSync(here).filter((name) => name.endsWith(".ts"))) copyFileSync(join(here, name), join(built, name));
  copyFileSync(join(here, "tsconfig.json"), join(built, "tsconfig.json"));
  tsc("-p", built);
  writeFileSync(stamp, "");
}

/** Ends the process where it does not compile. */
export function ready() {
  try {
    if (!isBuilt()) build();
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}
