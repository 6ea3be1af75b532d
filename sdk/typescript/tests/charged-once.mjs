// A real node behind a line that breaks after the node has answered: sent again, charged once.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { AiGen, aiFn, s } from "aigen";

const direct = new AiGen();
let breaks = 2;

/** Passes on to the node; the first answers are lost on the way back, one of them half way. */
const line = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const { host, connection, "content-length": _, ...headers } = request.headers;
  const answer = await fetch(direct.baseUrl + request.url, { method: request.method, headers, body });
  const text = await answer.text();
  breaks -= 1;
  if (breaks === 1) return request.socket.destroy();
  response.writeHead(answer.status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  if (breaks === 0) return response.write(text.slice(0, 40), () => request.socket.destroy());
  return response.end(text);
});
line.listen(0, "127.0.0.1");
await once(line, "listening");

const client = new AiGen({ baseUrl: `http://127.0.0.1:${line.address().port}` });
const model = await direct.model();
const rate = aiFn(client, { instruction: "Rate it.", input: s.string(), output: s.integer({ min: 1, max: 5 }), model });
const calls = async () => (await direct.usage()).reduce((all, row) => all + row.calls, 0);
const [before, callsBefore] = [await direct.account(), await calls()];
const { retries, receipts, cost } = await rate.detailed("fine");
const [after, callsAfter] = [await direct.account(), await calls()];
line.close();

assert.deepEqual([retries, receipts.length], [{ askedAgain: 0, sentAgain: 2 }, 1]);
assert.ok(cost > 0n);
assert.equal(before.posted_nano - after.posted_nano, cost);
assert.equal(callsAfter - callsBefore, 1);
