// What needs no model: which language a message is in, and which answer it is about.
//
//     node examples/support/test.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { built, here, ready } from "./build.mjs";

ready();
const module = (name) => import(pathToFileURL(join(built, name)));
const { languageOf, words } = await module("language.js");
const { FaqFile } = await module("faq.js");
const { DESKS } = await module("agent.js");

const LANGUAGES = [
  ["Wo ist mein Paket?", "de"],
  ["Where is my parcel?", "en"],
  ["¿Dónde está mi paquete?", "es"],
  ["Où est mon colis ?", "fr"],
  ["Dov'è il mio pacco?", "it"],
  ["", undefined],
  ["ok", undefined],
  ["55120-A", undefined],
  ["Gdzie jest moja paczka?", undefined],
  ["🙂🙂🙂", undefined],
];
for (const [text, language] of LANGUAGES) assert.equal(languageOf(text), language, text);
assert.deepEqual(words("L'été, déjà-vu 3.5!"), ["l", "ete", "deja", "vu", "3", "5"]);

const path = join(here, "faq.jsonl");
const faq = new FaqFile(path);
const rows = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
for (const row of rows) {
  const [hit] = await faq.find(row.question, row.language, 3);
  assert.deepEqual(hit?.row, row, "a row's own question finds it");
  assert.ok(row.topic in DESKS, `${row.topic} has a desk`);
  assert.equal(languageOf(`${row.question} ${row.answer}`), row.language, row.question);
}
assert.deepEqual(await faq.find("Wie ist das Wetter?", "de", 3).then((hits) => hits.map(({ row }) => row.topic)), []);
assert.equal((await faq.find("invoice payment refund delivery", "en", 2)).length, 2, "no more than were asked for");
assert.deepEqual(await faq.find("invoice", "de", 3), [], "no other language's rows");

console.log("all passed");
