// Output types, each called for real on the node's model: whatever it wrote is read back.

import assert from "node:assert/strict";
import { AiGen, aiFn, cast, classify, extract, generate, parseAmount, s } from "aigen";

const client = new AiGen();
const word = s.string({ max: 12 });
const shape = s.union([
  s.object({ kind: s.literal("circle"), radius: s.number({ min: 0, max: 9 }) }),
  s.object({ kind: s.literal("square"), side: s.integer({ min: 1, max: 9 }), filled: s.boolean() }),
]);
const chain = s.object({ value: s.integer({ min: 0, max: 9 }), next: s.nullable(s.lazy(() => chain)) });

const TYPES = {
  boolean: s.boolean(),
  integer: s.integer(),
  "integer of one sign": s.integer({ min: -9, max: -1 }),
  "integer around zero": s.integer({ min: -1, max: 1 }),
  number: s.number(),
  "number between": s.number({ min: -1, max: 1 }),
  string: s.string({ max: 40 }),
  "string that begins": s.string({ min: 3, max: 8 }),
  plate: s.string({ pattern: /^[A-Z]{2}-\d{3}$/ }),
  path: s.string({ pattern: /^\/\p{L}{2}\/[a-z\-\]]{1,3}\/\u0041$/ }),
  words: s.string({ pattern: /^\w+( \w+){0,3}$/, max: 40 }),
  uuid: s.string({ format: "uuid" }),
  date: s.string({ format: "date" }),
  time: s.string({ format: "time" }),
  "date-time": s.string({ format: "date-time" }),
  ipv4: s.string({ format: "ipv4" }),
  email: s.string({ format: "email", max: 40 }),
  literal: s.literal("yes"),
  null: s.literal(null),
  enum: s.enum(["good", "bad", "neither"]),
  "mixed enum": s.enum([1, 2.5, "three", true, null]),
  nullable: s.nullable(s.integer({ min: 0, max: 99 })),
  union: s.union([s.boolean(), word, s.array(s.integer({ min: 0, max: 9 }), { max: 3 })]),
  "tagged union": shape,
  array: s.array(s.integer({ min: 0, max: 9 }), { max: 5 }),
  "array of some": s.array(s.boolean(), { min: 2, max: 3 }),
  tuple: s.tuple([s.integer({ min: 0, max: 9 }), word, s.nullable(s.boolean())]),
  record: s.record(s.integer({ min: 0, max: 9 }), { max: 3 }),
  object: s.object({ polarity: s.enum(["good", "bad"]), score: s.number({ min: -1, max: 1 }), evidence: s.array(word, { max: 3 }) }),
  "object of optional fields": s.object({ name: word, age: s.optional(s.integer({ min: 0, max: 120 })) }),
  "empty object": s.object({}),
  "objects in objects": s.object({ "a b": s.object({ ü: s.array(shape, { max: 2 }) }), __proto: s.boolean() }),
  "type that contains itself": chain,
};
const SEEDS = [1, 2, 3];

for (const [name, output] of Object.entries(TYPES)) {
  const answer = aiFn(client, { instruction: "Answer.", input: s.string(), output, maxTokens: 400, temperature: 1 });
  for (const seed of SEEDS) {
    const detailed = await answer.detailed("How are you?", { seed }).catch((error) => assert.fail(`${name}: ${error}\n${error.raw}`));
    const { value, raw, guarantee, receipts, retries, cost } = detailed;
    assert.deepEqual([guarantee, retries, receipts.length], ["decoder", { askedAgain: 0, sentAgain: 0 }, 1], name);
    assert.deepEqual(output.read(JSON.parse(raw)), value, name);
    assert.equal(cost, parseAmount(receipts[0].cost));
  }
}

const label = await classify(client, ["good", "bad"], "What a day!");
assert.ok(label === "good" || label === "bad");
const { name } = await extract(client, s.object({ name: word }), "Ada wrote it.");
assert.equal(typeof name, "string");
assert.ok(Number.isInteger(await cast(client, s.integer({ min: 0, max: 9 }), { seven: 7 })));
assert.equal((await generate(client, s.enum(["red", "blue"]).describe("a colour"), 3)).length, 3);
console.log(`${Object.keys(TYPES).length} types, ${SEEDS.length} answers each`);
