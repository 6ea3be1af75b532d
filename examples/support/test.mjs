// What needs no model: which language a message is in, and which answer it is about.
//
//     node examples/support/test.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { built, here, ready } from "./build.mjs";

ready();
const module = (name) => import(pathToFileURL(join(built, name)));
const { languageOf, words } = await module("language.js");
const { FaqDataset, FaqFile } = await module("faq.js");
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

/** Answers every request with this, and keeps what was asked. */
async function node(status, body) {
  const asked = [];
  const server = createServer((request, reply) => {
    asked.push({ url: request.url, ...request.headers });
    reply.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { asked, url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

const reading = { key: "aigen_k", dataset: "babel/shop-faq@1.0.0", billTo: "user:cleo" };
{
  const [german, french] = [rows.find((row) => row.language === "de"), rows.find((row) => row.language === "fr")];
  const data = [french, german].map((values, row) => ({ row, score: 2 - row, values }));
  const { asked, url, stop } = await node(200, { dataset: reading.dataset, data, next: null, cost: "0.0002" });
  const sold = new FaqDataset({ ...reading, url });
  assert.deepEqual(await sold.find("Wo ist das Paket?", "de", 3), [{ row: german, score: 1 }], "the customer's language only");
  assert.deepEqual(await sold.find("ab 3", "de", 3), [], "nothing to ask for is not asked, and costs nothing");
  stop();
  assert.equal(asked.length, 1);
  const [{ url: path, authorization, "x-aigen-bill-to": billTo }] = asked;
  assert.deepEqual([path, authorization, billTo], ["/v1/aigen/datasets/babel/shop-faq@1.0.0/rows?q=paket&limit=5", "Bearer aigen_k", "user:cleo"]);
}
{
  const { url, stop } = await node(402, { error: { message: "the allowance is used up" } });
  await assert.rejects(new FaqDataset({ ...reading, url }).find("Paket", "de", 3), /babel\/shop-faq@1.0.0 was not read: .*used up/);
  stop();
}

console.log("all passed");
