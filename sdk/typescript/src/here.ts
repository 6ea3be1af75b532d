/** What is known without being told: the environment, and the node that runs on this folder. */

/** Where `aigen dev` answers unless it is told another port. */
export const LOCAL = "http://127.0.0.1:8000";

/** As much of Node.js as is used here; in a browser there is none. */
interface Process {
  readonly env?: Record<string, string | undefined>;
  getBuiltinModule?(name: "node:fs"): { readFileSync(path: string, encoding: "utf8"): string };
}

const { process } = globalThis as { process?: Process };

/** A variable of the environment. */
export function environment(name: string): string | undefined {
  return process?.env?.[name];
}

/** Where the node answers that runs on the data folder; its lock says so, in TOML. */
export function running(): string | undefined {
  return /^url = "([^"]+)"$/m.exec(kept("lock"))?.[1];
}

/** The key that `aigen dev` keeps. One of this machine is not sent to any other. */
export function keyOfDev(url: string): string {
  const { hostname } = new URL(url);
  return ["127.0.0.1", "localhost", "[::1]"].includes(hostname) ? kept("dev.key").trim() : "";
}

/** A file of the data folder. */
function kept(name: string): string {
  const folder = environment("AIGEN_DATA_DIR") || configured() || ".aigen";
  return read(`${folder}/${name}`);
}

/** `data_dir` of the configuration, which stands above its tables. */
function configured(): string | undefined {
  const config = read(environment("AIGEN_CONFIG") || "aigen.toml");
  const [above = ""] = config.split(/^\s*\[/m, 1);
  return /^\s*data_dir\s*=\s*(["'])(.+?)\1/m.exec(above)?.[2];
}

/** A file, empty where there is none. Node.js 20.16 and later give files without an import. */
function read(path: string): string {
  try {
    return process?.getBuiltinModule?.("node:fs").readFileSync(path, "utf8") ?? "";
  } catch {
    return "";
  }
}
