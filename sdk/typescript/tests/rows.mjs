// What needs no server: amounts, schemas, readers, prompts; a row each.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { AiError, AiGen, SetupError, aiFn, formatAmount, parseAmount, s } from "aigen";

const nobody = { chat: assert.fail, model: assert.fail };
const schemaOf = (output) => aiFn(nobody, { instruction: "", input: s.string(), output }).schema();

const AMOUNTS = [
  [0n, "0.00"],
  [1n, "0.000000001"],
  [1_500_000_000n, "1.50"],
  [12_345_678_901n, "12.345678901"],
  [2n ** 64n - 1n, "18446744073.709551615"],
];
for (const [nano, text] of AMOUNTS) assert.deepEqual([formatAmount(nano), parseAmount(text)], [text, nano]);
assert.deepEqual([parseAmount("2"), parseAmount("0.5"), formatAmount(-5n)], [2_000_000_000n, 500_000_000n, "-0.000000005"]);
for (const text of ["", "-1", "+1", "1.", ".5", "1e3", "0.0000000001", " 1", "1,5"]) assert.throws(() => parseAmount(text), RangeError, text);

// [type, schema, values that it reads, values that it refuses]
const most = Number.MAX_SAFE_INTEGER;
const text = (more) => ({ type: "string", minLength: 0, maxLength: 1000, ...more });
const integer = (minimum, maximum) => ({ type: "integer", minimum, maximum });
const closed = (properties) => ({ type: "object", properties, required: Object.keys(properties), additionalProperties: false });
const TYPES = [
  [s.integer(), { anyOf: [integer(-most, -1), integer(0, most)] }, [0, -most, most], [0.5, most + 1, "1", null]],
  [s.integer({ min: 1, max: 5 }), integer(1, 5), [1, 5], [0, 6]],
  [s.integer({ min: -0.5, max: 1.5 }), integer(0, 1), [0, 1], [-1, 2]],
  [s.integer({ min: -1e300, max: -1 }), integer(-most, -1), [-1], [0]],
  [s.number(), { type: "number", minimum: -1e15, maximum: 1e15 }, [0.5, 1e300], [NaN, Infinity, "1", null]],
  [s.number({ min: -1, max: 1 }), { type: "number", minimum: -1, maximum: 1 }, [-1, 0.5], [1.1]],
  [s.string(), text(), ["", "x".repeat(2000)], [1, null]],
  [s.string({ min: 2, max: 3 }), text({ minLength: 2, maxLength: 3 }), ["ab", "😀😀😀"], ["a", "abcd"]],
  [s.string({ min: 2000 }), text({ minLength: 2000, maxLength: 2000 }), ["x".repeat(2000)], [""]],
  [s.string({ pattern: /^\d+\D[\w.]\.$/ }), text({ pattern: "^[0-9]+[^0-9][A-Za-z0-9_.]\\.$" }), ["1a.."], ["٣a..", "1aé."]],
  [s.string({ format: "uuid" }), { type: "string", format: "uuid", maxLength: 36 }, ["01234567-89ab-cdef-0123-456789ABCDEF"], ["0"]],
  [s.boolean(), { type: "boolean" }, [true, false], [0, "true", null]],
  [s.literal("a"), { const: "a" }, ["a"], ["b", null]],
  [s.literal(null), { const: null }, [null], [undefined, 0]],
  [s.enum(["a", 1, null]), { enum: ["a", 1, null] }, ["a", 1, null], ["1", undefined]],
  [s.nullable(s.boolean()), { anyOf: [{ type: "boolean" }, { const: null }] }, [true, null], [0]],
  [s.array(s.boolean()), { type: "array", items: { type: "boolean" }, minItems: 0, maxItems: 32 }, [[], [true]], [[0], {}, null]],
  [s.array(s.boolean(), { min: 40 }), { type: "array", items: { type: "boolean" }, minItems: 40, maxItems: 40 }, [], [[true]]],
  [s.tuple([s.boolean()]), { type: "array", prefixItems: [{ type: "boolean" }], items: false, minItems: 1, maxItems: 1 }, [[true]], [[], [true, true]]],
  [s.record(s.boolean()), { type: "object", additionalProperties: { type: "boolean" }, maxProperties: 16 }, [{}, { a: true }], [{ a: 1 }, []]],
  [s.object({ a: s.boolean().describe("whether") }), closed({ a: { type: "boolean", description: "whether" } }), [{ a: true }], [{}, { a: 1 }, [], null]],
  [s.object({ a: s.optional(s.boolean()) }), closed({ a: { anyOf: [{ type: "boolean" }, { type: "null" }] } }), [{}, { a: true }], [{ a: 1 }]],
  [s.union([s.boolean(), s.array(s.boolean(), { max: 1 })]), undefined, [true, [true]], [1, [1], [true, true]]],
];
for (const [type, schema, read, refused] of TYPES) {
  if (schema !== undefined) assert.deepEqual(schemaOf(type), schema);
  for (const value of read) assert.deepEqual(type.read(value), value);
  for (const value of refused) assert.throws(() => type.read(value), { name: "Mismatch" }, inspect([schema, value]));
}
assert.ok(Object.is(s.integer().read(-0), 0) && Object.is(s.number().read(-0), 0));
assert.deepEqual(s.object({ a: s.optional(s.boolean()) }).read({ a: null, b: 1 }), {});
const hostile = s.record(s.boolean()).read(JSON.parse('{"__proto__":true}'));
assert.deepEqual([Object.getPrototypeOf(hostile), Object.keys(hostile)], [Object.prototype, ["__proto__"]]);
assert.throws(() => s.object({ a: s.object({}) }).read(JSON.parse('{"__proto__":{"a":{}}}')), /\$\.a: expected an object, found nothing/);
const nested = s.object({ a: s.array(s.union([s.integer({ max: 1 }), s.boolean()])) });
assert.throws(() => nested.read({ a: [1, "x"] }), /^Mismatch: \$\.a\[1\]: expected one of 2 types .* found "x"$/);

// What cannot be promised is refused where it is written, with a way out.
const endless = s.object({ more: s.lazy(() => endless) });
const REFUSED = [
  [() => s.string({ pattern: "(?=a)" }), /looks around[^]*hint: write it without look-around/],
  [() => s.string({ pattern: /(a)\1/ }), /means something else to decoders/],
  [() => s.string({ pattern: /[\S]/ }), /hint: spell out/],
  [() => s.string({ pattern: /a/i }), /the flags i are not part/],
  [() => s.string({ pattern: "(" }), /cannot be enforced/],
  [() => s.enum([]), /without values/],
  [() => s.integer({ min: 0.1, max: 0.9 }), /no number is from 1 to 0/],
  [() => s.string({ min: 3, max: 1 }), /nothing has 3 to 1 characters[^]*hint: give whole numbers/],
  [() => s.string({ max: 1.5 }), /nothing has 0 to 1.5 characters/],
  [() => s.string({ format: "ipv6" }), /the format ipv6 cannot be enforced[^]*hint: use one of date, /],
  [() => s.array(s.boolean(), { min: 5, max: 2 }), /nothing has 5 to 2 items/],
  [() => s.record(s.boolean(), { max: NaN }), /nothing has 0 to NaN entries/],
  [() => s.literal(undefined), /the value undefined cannot be written in JSON/],
  [() => s.enum([NaN]), /the value NaN cannot be written/],
  [() => s.union([]), /a union of no types/],
  [() => s.array(s.optional(s.boolean())), /an item is optional[^]*hint: [^]*use s.nullable/],
  [() => s.object({ a: "string" }), /the field a is no type[^]*hint: make it with s/],
  [() => s.optional(), /what may be missing is no type/],
  [() => schemaOf(s.optional(s.boolean())), /what a function takes or gives is optional/],
  [() => schemaOf(endless), /no finite value[^]*hint: let it end/],
];
for (const [make, message] of REFUSED) assert.throws(make, (error) => error.name === "SchemaError" && message.test(error.message), `${message}`);

// A type that contains itself is written out five levels deep, fewer where that is too large.
const tree = s.object({ children: s.array(s.lazy(() => tree)) });
const levels = (schema) => (schema.properties.children.items ? 1 + levels(schema.properties.children.items) : 0);
assert.equal(levels(schemaOf(tree)), 4);
const grove = () => s.object({ children: s.array(s.lazy(grove)) });
assert.equal(levels(schemaOf(grove())), 5);
const wide = s.object(Object.fromEntries([..."abcdefgh"].map((name) => [name, s.nullable(s.lazy(() => wide))])));
assert.ok(JSON.stringify(schemaOf(wide)).length < 1_000_000);

// Prompts are those of the Rust functions.
const output = s.literal(1);
const tail = '\n\nAnswer in JSON of this schema:\n{"const":1}';
const several = aiFn(nobody, {
  instruction: "Judge.",
  input: s.object({ text: s.string().describe("the message to judge"), tags: s.array(s.string()), more: s.optional(s.string()) }),
  output,
  context: ({ text }) => `It has ${text.length} characters.`,
});
const { system, user, messages } = several.prompt({ text: "good", tags: ["a"] });
assert.equal(system, `Judge.\n\`text\` is the message to judge.\n\nIt has 4 characters.${tail}`);
assert.equal(user, 'text:\ngood\n\ntags:\n["a"]');
assert.deepEqual(messages.map(({ content }) => content), [system, user]);
const single = aiFn(nobody, { instruction: "Judge.", input: s.string(), output }).prompt("x".repeat(5000));
assert.deepEqual([single.system, single.user.length], [`Judge.${tail}`, 5000]);
assert.throws(() => several.prompt({ text: 7, tags: [] }), (error) => error instanceof AiError.Argument && error.message.endsWith("$.text: expected a text, found 7"));

// Records keep every digit, and what looks like a number in a text is none.
const sent = [];
const body = '{"data":[{"description":"a \\"12345678901234567890","charged_nano":"9007199254740993","published_at":5,"at":1.5,"created":-1795867613945931777,"share":0.12345678901234567}]}';
const recorded = new AiGen({ baseUrl: "http://h", key: "k", fetch: async (url, init) => (sent.push([url, init.method]), new Response(body)) });
const [record] = await recorded.usage({ from: "2026-01-31", by: ["day", "model"] });
const exact = { description: 'a "12345678901234567890', charged_nano: 9007199254740993n, published_at: 5n, at: 1.5, created: -1795867613945931777n };
assert.deepEqual(record, { ...exact, share: 0.12345678901234567 });
await recorded.account("user:a/b");
assert.deepEqual(sent, [["http://h/v1/aigen/usage?from=2026-01-31&by=day%2Cmodel", "GET"], ["http://h/v1/aigen/accounts/user%3Aa%2Fb", "GET"]]);

// Where the server is.
assert.equal(new AiGen({ baseUrl: "http://h:1/v1/", key: "" }).baseUrl, "http://h:1");
for (const baseUrl of ["", "h:1", "ftp://h"]) assert.throws(() => new AiGen({ baseUrl, key: "" }), SetupError, baseUrl);
assert.ok(!inspect(new AiGen({ baseUrl: "http://h", key: "secret" }), { showHidden: true, depth: 9 }).includes("secret"));
