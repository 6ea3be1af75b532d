// A server that fails in every way: what is sent again, under which key, and what is not.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { AiGen, ApiError, ConnectionError, aiFn, s } from "aigen";

const aigen = { receipt: "0123456789abcdef0123456789abcdef", cost: "0.001", grammar_complete: true };
const said = (content, more = {}) => ({
  body: { id: "1", model: "m", choices: [{ finish_reason: "stop", message: { role: "assistant", content } }], aigen, ...more },
});
const fails = (status, code, headers = {}) => ({ status, headers, body: { error: { message: "no", type: "server_error", code } } });
const BROKEN = "the connection breaks before an answer";
const CUT = "the connection breaks in the middle of one";
const SILENT = "nothing comes";

// Every pause that is asked for, in milliseconds.
const pauses = [];
const { setTimeout: patient } = globalThis;
globalThis.setTimeout = (then, ms, ...more) => {
  pauses.push(ms);
  return patient(then, ms, ...more);
};

/** Answers in turn; what was asked is kept. */
async function serve(...answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray?.() ?? [];
    const text = Buffer.concat(chunks).toString();
    requests.push({ key: request.headers["idempotency-key"], authorization: request.headers.authorization, text });
    const answer = answers.shift();
    if (answer === BROKEN) return request.socket.destroy();
    if (answer === SILENT) return;
    const { status = 200, headers = {}, body } = answer === CUT ? said("4") : answer;
    const written = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(written), ...headers });
    if (answer !== CUT) return response.end(written);
    response.write(written.slice(0, 20), () => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new AiGen({ baseUrl: `http://127.0.0.1:${server.address().port}/v1/`, key: "secret" });
  const definition = { instruction: "Count.", input: s.string(), output: s.integer({ min: 0, max: 9 }), model: "m" };
  const count = aiFn(client, definition);
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { client, count, definition, requests, stop };
}

/** One row: how the server answers, and what came of it. */
async function row(answers, wanted, options = {}) {
  const { count, requests, stop } = await serve(...answers);
  const outcome = await count.detailed("x", options).then(
    ({ value, retries: { sentAgain, askedAgain } }) => [value, sentAgain, askedAgain],
    (error) => [error.name, error.raw],
  );
  stop();
  assert.deepEqual([...outcome, requests.length], wanted, JSON.stringify(answers));
  return requests;
}

const sameKeys = (requests) => assert.equal(new Set(requests.map(({ key }) => key)).size, 1);

// The same request under the same key, until it arrives.
sameKeys(await row([BROKEN, said("4")], [4, 1, 0, 2]));
sameKeys(await row([CUT, said("4")], [4, 1, 0, 2]));
sameKeys(await row([fails(503, "engine_busy"), fails(429, "rate_limited"), said("4")], [4, 2, 0, 3]));
sameKeys(await row([fails(409, "idempotency_in_progress"), said("4")], [4, 1, 0, 2]));
sameKeys(await row([fails(500, "odd", { "x-should-retry": "true" }), said("4")], [4, 1, 0, 2]));
const [first, second] = await row([BROKEN, said("4")], [4, 1, 0, 2]);
assert.equal(first.text, second.text);
assert.match(first.key, /^[\x21-\x7e]{1,255}$/);
assert.equal(first.authorization, "Bearer secret");

// Three times at most, and not at all where it would be the same again.
await row([BROKEN, BROKEN, BROKEN, BROKEN], ["AiError.Transport", "", 4]);
await row([fails(500, "server_error")], ["AiError.Transport", "", 1]);
await row([fails(503, "engine_busy", { "x-should-retry": "false" })], ["AiError.Transport", "", 1]);
await row([fails(402, "insufficient_funds")], ["AiError.Budget", "", 1]);
await row([fails(404, "model_not_found")], ["AiError.Refused", "", 1]);
await row([{ body: "<html>" }], ["AiError.Transport", "", 1]);

// Asking again is another request, under another key, and it says why.
const again = await row([said("no JSON"), said("17"), BROKEN, said("4")], [4, 1, 2, 4]);
assert.equal(new Set(again.map(({ key }) => key)).size, 3);
const { messages, response_format, max_completion_tokens } = JSON.parse(again[3].text);
assert.deepEqual(messages.map(({ role }) => role), ["system", "user", "assistant", "user", "assistant", "user"]);
assert.equal(messages[4].content, "17");
assert.equal(messages[5].content, "That was not accepted: it is not JSON of the schema: $: expected an integer from 0 to 9, found 17. Answer again.");
assert.deepEqual([response_format.json_schema.strict, max_completion_tokens], [true, 1024]);

// What was said before the line broke is kept, and what it cost is off the budget.
const paid = await row([said("17"), BROKEN, BROKEN, BROKEN, BROKEN], ["AiError.Transport", "17", 5], { budget: "0.5" });
assert.deepEqual(paid.map(({ text }) => JSON.parse(text).aigen.max_cost), ["0.50", "0.499", "0.499", "0.499", "0.499"]);

// A call that was charged all the same says so.
{
  const charged = { status: 422, body: { error: { message: "no", type: "controller_error", code: "controller_failed", metadata: { receipt: "r", cost: "0.002" } } } };
  const { count, stop } = await serve(charged);
  const error = await count("x").then(assert.fail, (error) => error);
  stop();
  assert.deepEqual([error.name, error.receipts], ["AiError.Refused", [{ receipt: "r", cost: "0.002" }]]);
}

// What a model elsewhere said and the server found unfit is charged, and another answer is asked for.
{
  const metadata = { receipt: "r", cost: "0.002", raw: "four" };
  const unfit = { status: 502, body: { error: { message: "it holds no JSON; ask again", hint: "ask again", type: "upstream_error", code: "upstream_failed", metadata } }, headers: { "x-should-retry": "false" } };
  const elsewhere = said("4", { aigen: { ...aigen, guarantee: "retry" } });
  const { count, requests, stop } = await serve(unfit, elsewhere);
  const { value, guarantee, receipts, retries } = await count.detailed("x");
  stop();
  assert.deepEqual([value, guarantee, receipts.length, retries], [4, "retry", 2, { askedAgain: 1, sentAgain: 0 }]);
  const objection = "That was not accepted: it holds no JSON. Answer again.";
  assert.deepEqual(JSON.parse(requests[1].text).messages.slice(2).map(({ content }) => content), ["four", objection]);
}

// A controller steers instead of the schema, and promises nothing about the type.
{
  const { count, requests, stop } = await serve(said("4"));
  const params = { text: "four" };
  const { guarantee } = await count.detailed("x", { controller: "ada/quote@1", params, billTo: "user:ada" });
  stop();
  const { aigen: steered, response_format: none } = JSON.parse(requests[0].text);
  assert.deepEqual([guarantee, steered, none], ["retry", { controller: "ada/quote@1", params, bill_to: "user:ada" }, undefined]);
}

// A server that says when to come back is asked then; one that is no AiGen gives no receipt.
{
  const { client, count, stop } = await serve(fails(429, "rate_limited", { "retry-after": "2" }), said("4", { aigen: undefined }));
  const { guarantee, receipt, cost } = await count.detailed("x");
  stop();
  assert.ok(pauses.includes(2000), `${pauses}`);
  assert.deepEqual([guarantee, receipt, cost], ["retry", undefined, 0n]);
  assert.ok(!JSON.stringify(client).includes("secret"));
}

// Between them it waits, twice as long each time, half of it by chance.
{
  pauses.length = 0;
  await row([BROKEN, BROKEN, BROKEN, said("4")], [4, 3, 0, 4]);
  const waited = pauses.filter((ms) => ms < 1_000);
  assert.equal(waited.length, 3);
  waited.forEach((ms, at) => assert.ok(ms >= 100 * 2 ** at && ms <= 200 * 2 ** at, `${waited}`));
}

// What takes too long is sent again, and given up; a signal ends it at once.
{
  const { count, stop } = await serve(SILENT, said("4"));
  assert.equal((await count.detailed("x", { timeoutMs: 1_000 })).retries.sentAgain, 1);
  stop();
}
{
  const { client, stop } = await serve(SILENT, SILENT);
  const late = client.account(undefined, { timeoutMs: 50, retries: 0 });
  const error = await late.then(assert.fail, (error) => error);
  assert.ok(error instanceof ConnectionError && /no answer within 50 ms/.test(error.message), `${error}`);
  const stopped = new AbortController();
  const waiting = client.account(undefined, { signal: stopped.signal });
  stopped.abort(new Error("enough"));
  await assert.rejects(waiting, /^Error: enough$/);
  stop();
}

// Errors have all that the envelope has.
{
  const envelope = { message: "no", type: "t", code: "c", param: "p", hint: "do", metadata: { reason: "r" } };
  const { client, stop } = await serve({ status: 403, headers: { "x-request-id": "req_1" }, body: { error: envelope } });
  const error = await client.account().then(assert.fail, (error) => error);
  stop();
  assert.ok(error instanceof ApiError);
  const { message, status, type, code, param, hint, reason, requestId } = error;
  assert.deepEqual([message, status, type, code, param, hint, reason, requestId], ["no\nhint: do", 403, "t", "c", "p", "do", "r", "req_1"]);
}
