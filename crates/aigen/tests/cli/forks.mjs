// A fork of a controller's state shares nothing that can change, and what is thrown is said. `node forks.mjs SDK`

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

class Handle {
  at = 0;
  fork() {
    const other = new this.constructor();
    other.at = this.at;
    return other;
  }
}
class Matcher extends Handle {}
class TokenSet extends Handle {}
class Grammar {}
const logged = [];
const output = { log: (level, message) => logged.push(`${level} ${message}`) };
globalThis.host = new Proxy({ constraints: { Grammar, Matcher, TokenSet }, output }, { get: (known, name) => known[name] ?? {} });

const source = readFileSync(process.argv[2], "utf8")
  .replace(/^import (\w+) from "aigen:[^"]+";$/gm, "const $1 = globalThis.host.$1;");
const { exported } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

class Nested {
  n = 0;
  up() {
    this.n += 1;
  }
}

class State {
  open() {
    const matcher = new Matcher();
    const buffer = new ArrayBuffer(4);
    Object.assign(this, {
      plain: { n: 0, list: [1, [2]] },
      map: new Map([["a", { n: 0 }]]),
      set: new Set([1]),
      bytes: new Uint8Array(buffer, 1, 2),
      view: new DataView(buffer),
      nested: new Nested(),
      date: new Date(5),
      matcher,
      matchers: [matcher, new Matcher()],
      held: { tokens: new TokenSet() },
      grammar: new Grammar(),
    });
    this.self = this;
  }
}

const session = exported(State).Session.open({});
const [one, other] = [session.made, session.fork().made];
other.plain.n = 1;
other.plain.list[1].push(3);
other.map.get("a").n = 1;
other.map.set("b", 1);
other.set.add(2);
other.bytes[0] = 9;
other.nested.up();
other.date.setTime(6);
other.matchers[0].at = 1;
other.held.tokens.at = 1;

assert.deepEqual(one.plain, { n: 0, list: [1, [2]] });
assert.deepEqual([...one.map], [["a", { n: 0 }]]);
assert.deepEqual([...one.set], [1]);
assert.deepEqual([...one.bytes, ...other.bytes], [0, 0, 9, 0]);
assert.equal(other.view.getUint8(1), 9, "views of one buffer stay views of one");
assert.deepEqual([one.nested.n, other.nested.n], [0, 1]);
assert.equal(one.date.getTime(), 5);
assert.equal(one.matchers[0].at, 0);
assert.equal(one.held.tokens.at, 0);
assert.equal(other.matchers[0], other.matcher, "one handle stays one");
assert.equal(other.self, other);
assert.equal(other.grammar, one.grammar);
assert.ok(other instanceof State);

class Generating {
  open() {
    this.steps = (function* () {})();
  }
}
const saying = (pattern) => ({ tag, val }) => tag === "invalid" && pattern.test(val);
assert.throws(() => exported(Generating).Session.open({}).fork(), saying(/^TypeError: .*Generator.*fork\(\)/));

// What a controller throws ends the request in its own words, and the log says where.
const step = { why: { tag: "started" } };
const throwing = (thrown) => class {
  step() {
    throw thrown;
  }
};
const saysNothing = class {
  step() {}
  finish() {
    return { a: 1 };
  }
};
const denied = { tag: "denied", val: "no" };
const open = (Controller) => exported(Controller).Session.open({});
assert.throws(() => open(throwing(new RangeError("too far"))).step(step), saying(/^RangeError: too far$/));
assert.match(logged.at(-1), /^error RangeError: too far\n[^]*forks\.mjs/);
assert.throws(() => open(throwing("words")).step(step), saying(/^words$/));
assert.throws(() => open(saysNothing).step(step), saying(/undefined is no decision/));
assert.throws(() => open(saysNothing).finish(), saying(/object is no text of JSON/));
const before = logged.length;
assert.throws(() => open(throwing(denied)).step(step), (said) => said === denied);
assert.throws(() => open(throwing({ payload: denied })).step(step), (said) => said === denied);
assert.equal(logged.length, before, "what is the contract's is said as it is");

console.log("all passed");
