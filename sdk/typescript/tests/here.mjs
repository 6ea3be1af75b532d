// Where a node is found without being told: in the data folder, which the configuration may name.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AiGen, aiFn, s } from "aigen";

const folder = mkdtempSync(join(tmpdir(), "aigen-here-"));
const config = join(folder, "c.toml");
const { env } = process;
for (const name of ["AIGEN_URL", "AIGEN_KEY", "AIGEN_DATA_DIR"]) delete env[name];
env.AIGEN_CONFIG = config;
writeFileSync(join(folder, "lock"), 'pid = 7\nurl = "http://127.0.0.1:1"\n');

const named = JSON.stringify(folder);
for (const [said, url] of [
  [`log = "info"\n data_dir = ${named} # here\n[x]\n`, "http://127.0.0.1:1"],
  [`[x]\ndata_dir = ${named}\n`, "http://127.0.0.1:8000"],
  [`# data_dir = ${named}\n`, "http://127.0.0.1:8000"],
]) {
  writeFileSync(config, said);
  assert.equal(new AiGen().baseUrl, url, said);
}

// A check that says nothing accepts, whichever nothing it is.
{
  const choices = [{ finish_reason: "stop", message: { role: "assistant", content: "4" } }];
  globalThis.fetch = async () => Response.json({ id: "1", model: "m", choices });
  for (const check of [() => undefined, () => null, () => true]) {
    const count = aiFn(new AiGen({ baseUrl: "http://127.0.0.1:1", key: "k" }), {
      instruction: "Count.", input: s.string(), output: s.integer(), model: "m", check,
    });
    assert.equal(await count("x"), 4);
  }
}

rmSync(folder, { recursive: true });
