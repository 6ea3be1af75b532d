// Everything that is claimed of this package, against a real node:
//
//     AIGEN_URL=… AIGEN_KEY=… POOR_KEY=… node sdk/typescript/tests/run.mjs PACKAGES
//
// PACKAGES has `node_modules` with `typescript` and `openai`; POOR_KEY is of an account without
// money. The package is packed and installed into a temporary folder, as `npm install aigen` would leave it.

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [, , packages = "."] = process.argv;
const modules = resolve(packages, "node_modules");
const tests = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(tests, "..");
const guide = resolve(root, "../../docs/guides/ai-functions.md");
const folder = mkdtempSync(join(tmpdir(), "aigen-typescript-"));

// What OpenAI's client reads.
const { AIGEN_URL, AIGEN_KEY } = process.env;
const env = { ...process.env, OPENAI_BASE_URL: `${AIGEN_URL}/v1`, OPENAI_API_KEY: AIGEN_KEY };

function node(...args) {
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", env });
  if (run.status !== 0) throw new Error(`${args.join(" ")}\n${run.stdout}${run.stderr}${run.error ?? ""}`);
  return run.stdout;
}

function tsc(...args) {
  node(join(modules, "typescript/lib/tsc.js"), ...args);
}

/** Snippets of a page, in order. */
function snippets(page) {
  return [...readFileSync(page, "utf8").matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
}

/** Packs the package and installs what was packed; the compiler of `prepack` is not in its folder here. */
function install() {
  const source = join(folder, "source");
  mkdirSync(source);
  for (const name of ["package.json", "README.md"]) copyFileSync(join(root, name), join(source, name));
  tsc("-p", root, "--outDir", join(source, "dist"));
  npm("pack", "./source", "--ignore-scripts");
  const [packed] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  npm("install", `./${packed}`, "--offline", "--no-audit", "--no-fund");
  for (const name of ["openai", "typescript"]) symlinkSync(join(modules, name), join(folder, "node_modules", name), "junction");
}

/** A checkout is compiled by `npm install` in it, and installed by its path. */
function installFromCheckout() {
  const [checkout, project] = ["checkout", "project"].map((name) => join(folder, name));
  for (const made of [project, join(checkout, "node_modules", ".bin")]) mkdirSync(made, { recursive: true });
  for (const name of ["package.json", "README.md", "tsconfig.json"]) copyFileSync(join(root, name), join(checkout, name));
  cpSync(join(root, "src"), join(checkout, "src"), { recursive: true });
  symlinkSync(join(modules, "typescript"), join(checkout, "node_modules", "typescript"), "junction");
  symlinkSync(join(modules, "typescript/bin/tsc"), join(checkout, "node_modules", ".bin", "tsc"));
  npm("--prefix", checkout, "run", "prepare");
  npm("--prefix", project, "install", checkout, "--offline", "--no-audit", "--no-fund", "--ignore-scripts");
  writeFileSync(join(project, "use.mjs"), 'import { AiGen } from "aigen";\nconsole.log(new AiGen().baseUrl);\n');
  if (node(join(project, "use.mjs")).trim() !== AIGEN_URL) throw new Error("it is not there by its path");
}

function npm(...args) {
  const run = spawnSync("npm", args, { cwd: folder, encoding: "utf8", shell: process.platform === "win32" });
  if (run.status !== 0) throw new Error(`npm ${args.join(" ")}\n${run.stdout}${run.stderr}${run.error ?? ""}`);
}

function write() {
  for (const name of readdirSync(tests).filter((name) => name !== "run.mjs")) copyFileSync(join(tests, name), join(folder, name));
  const pages = [join(root, "README.md"), guide];
  const written = pages.flatMap((page, at) => {
    const found = snippets(page);
    if (found.length === 0) throw new Error(`${page} has no snippets`);
    return found.map((code, number) => [`page-${at + 1}-${number + 1}`, code]);
  });
  for (const [name, code] of written) writeFileSync(join(folder, `${name}.mts`), code);
  return written.map(([name]) => name);
}

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  target: "ES2022",
  module: "NodeNext",
  lib: ["ES2022", "DOM"],
  types: [],
};

try {
  install();
  installFromCheckout();
  const pages = write();
  const files = ["types.mts", ...pages.map((name) => `${name}.mts`)];
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: STRICT, files }));
  tsc("-p", folder);
  const scripts = readdirSync(tests).filter((name) => name.endsWith(".mjs") && name !== "run.mjs");
  for (const script of [...scripts, ...pages.map((name) => `${name}.mjs`)]) {
    node(script);
    console.log(`${script} passed`);
  }
  console.log("all passed");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
