// What a call does beside its value, and how it fails, on a real node.

import assert from "node:assert/strict";
import { AiError, AiGen, ApiError, aiFn, s } from "aigen";

const client = new AiGen();
const definition = { instruction: "Rate it.", input: s.object({ text: s.string() }), output: s.integer({ min: 1, max: 5 }), maxTokens: 20 };
const rate = aiFn(client, definition);
const args = { text: "fine" };

async function failed(promise, kind) {
  const error = await promise.then(assert.fail, (error) => error);
  assert.ok(error instanceof kind, `${error.stack}`);
  return error;
}

async function seedsNameChance() {
  const raws = await Promise.all([rate.detailed(args, { seed: 7 }), rate.detailed(args, { seed: 7 })]);
  assert.equal(raws[0].raw, raws[1].raw);
}

async function receiptsAreExact() {
  const { receipt, cost } = await rate.detailed(args);
  const whole = await client.receipt(receipt.receipt);
  const sum = (rows) => rows.reduce((all, { amount_nano }) => all + amount_nano, 0n);
  assert.deepEqual([whole.total_nano, sum(whole.lines), sum(whole.split)], [cost, cost, cost]);
  assert.equal(typeof whole.created, "bigint");
  const [row] = await client.usage();
  assert.ok(row.charged_nano >= cost);
}

async function manyKeepTheirOrderAndFailAlone() {
  const items = [{ text: "a" }, { text: 7 }, { text: "c" }];
  const results = await rate.map(items, { concurrency: 2 });
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.ok(results[1].reason instanceof AiError.Argument);
  assert.deepEqual(await rate.map([]), []);
}

async function noMoney() {
  const poor = aiFn(new AiGen({ key: process.env.POOR_KEY }), definition);
  const error = await failed(poor(args), AiError.Budget);
  assert.ok(error.cause instanceof ApiError);
  assert.deepEqual([error.cause.status, error.cause.reason], [402, "insufficient_funds"]);
  assert.equal(error.cause.type, "insufficient_quota");
  assert.ok(error.cause.hint);
  const small = await failed(rate(args, { budget: "0.0000001" }), AiError.Budget);
  assert.equal(small.cause.reason, "budget_exhausted");
  assert.deepEqual(small.receipts, []);
}

async function cutOff() {
  const long = { ...definition, output: s.string({ min: 500 }) };
  const truncated = await failed(aiFn(client, { ...long, maxTokens: 10 })(args), AiError.Truncated);
  assert.match(truncated.raw, /^"./);
  assert.equal(truncated.receipts.length, 1);
  const unpaid = await failed(aiFn(client, { ...long, maxTokens: 500 })(args, { budget: 3_000_000n }), AiError.Budget);
  assert.match(unpaid.raw, /^"./);
  assert.equal(unpaid.receipts[0].stop, "budget");
}

async function refusedAnswersAreAskedForAgain() {
  let asked = 0;
  const check = () => ++asked > 2 || "try harder";
  const detailed = await aiFn(client, { ...definition, check }).detailed(args);
  assert.deepEqual([detailed.retries.askedAgain, detailed.receipts.length, asked], [2, 3, 3]);
  assert.notEqual(detailed.receipts[0].receipt, detailed.receipts[1].receipt);

  const never = await failed(aiFn(client, { ...definition, retries: 1, check: async () => "never" })(args), AiError.Check);
  assert.deepEqual([never.why, never.receipts.length], ["never", 2]);
  assert.match(never.raw, /^[1-5]$/);
}

async function aCheckThatThrowsRefuses() {
  const check = () => {
    throw new TypeError("oh");
  };
  const error = await failed(aiFn(client, { ...definition, retries: 0, check })(args), AiError.Check);
  assert.equal(error.why, "the check itself threw: oh");
  assert.ok(error.cause instanceof TypeError);
  assert.match(error.raw, /^[1-5]$/);
}

async function checksSeeTheArguments() {
  const seen = [];
  const check = (value, given) => void seen.push([value, given]);
  const value = await aiFn(client, { ...definition, check })(args);
  assert.deepEqual(seen, [[value, args]]);
}

async function theServersRefusals() {
  const controller = await failed(rate(args, { controller: "nobody/nothing@1" }), AiError.Refused);
  assert.equal(controller.cause.status, 404);
  const model = await failed(rate(args, { model: "none" }), AiError.Refused);
  assert.equal(model.cause.code, "model_not_found");
  const key = await failed(new AiGen({ key: "wrong" }).account(), ApiError);
  assert.deepEqual([key.status, key.type, key.code], [401, "authentication_error", "invalid_api_key"]);
  assert.match(key.requestId, /^req_/);
  const heat = await failed(rate(args, { temperature: 9 }), AiError.Refused);
  assert.equal(heat.cause.param, "temperature");
}

async function nobodyThere() {
  const nowhere = new AiGen({ baseUrl: "http://127.0.0.1:9", retries: 0 });
  const error = await failed(aiFn(nowhere, { ...definition, model: "m" })(args), AiError.Transport);
  assert.equal(error.cause.name, "ConnectionError");
  const signal = AbortSignal.abort(new Error("enough"));
  const stopped = await failed(rate(args, { signal }), AiError.Transport);
  assert.equal(stopped.message, "enough");
}

async function whatTheAccountSays() {
  const account = await client.account();
  assert.equal(account.posted_nano, account.available_nano + account.held_nano);
  assert.deepEqual(await client.account(account.address), account);
  const [model] = await client.models();
  assert.equal(model.id, await client.model());
  assert.equal(typeof model.aigen.price.per_request_nano, "bigint");
  const rows = await client.usage({ by: ["day", "model"], account: account.address });
  assert.ok(rows.every(({ model, day }) => model && /^\d{4}-\d{2}-\d{2}$/.test(day)));
  assert.ok(Array.isArray(await client.controllers()));
}

await seedsNameChance();
await receiptsAreExact();
await manyKeepTheirOrderAndFailAlone();
await noMoney();
await cutOff();
await refusedAnswersAreAskedForAgain();
await aCheckThatThrowsRefuses();
await checksSeeTheArguments();
await theServersRefusals();
await nobodyThere();
await whatTheAccountSays();
