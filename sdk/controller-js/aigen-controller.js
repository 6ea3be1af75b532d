// Writes controllers for AiGen in JavaScript.
//
// A controller decides what comes next: it is asked at the start, at the end of every segment,
// and in every branch of a fork. It runs beside the model, in a sandbox without clock, files and
// network.
//
//     import { choice, exported, output, segment, stop } from "./aigen-controller.js";
//
//     class YesNo {
//       open() {
//         output.hold(0);
//         this.matcher = choice(["yes", "no"]).matcher();
//       }
//
//       step({ why }) {
//         return why === "started" ? segment({ under: this.matcher }) : stop();
//       }
//     }
//
//     export const controller = exported(YesNo);
//
// `aigen controller build` makes a component of it.

import constraints from "aigen:controller/constraints@0.1.0";
import meter from "aigen:controller/meter@0.1.0";
import output from "aigen:controller/output@0.1.0";
import rng from "aigen:controller/rng@0.1.0";
import tokenizer from "aigen:controller/tokenizer@0.1.0";
import variables from "aigen:controller/variables@0.1.0";

export { constraints, meter, output, rng, tokenizer, variables };

const { Grammar, Matcher, TokenSet } = constraints;

/// JSON that is valid under a schema, given as text.
export const jsonSchema = (schema, { lenient = false, whitespace = false } = {}) =>
  Grammar.jsonSchema(schema, { lenient, whitespace });
/// Text the whole of which matches.
export const regex = (pattern) => Grammar.regex(pattern);
/// Text derived from the rule `start`.
export const lark = (source) => Grammar.lark(source);
/// One of these.
export const choice = (options) => Grammar.choice(options);
/// A run of at most `words` words of the text.
export const quote = (text, words = null) => Grammar.quote(text, words);

/// A segment: under a matcher or within a token set, until one of these happens.
export function segment({
  under, within, tokens = 0, until = [], triggers = [], bias = [], splices = [], observed = false,
  temperature = null, topP = null, topK = null, minP = null,
} = {}) {
  const allow = under
    ? { tag: "matcher", val: under.id() }
    : within ? { tag: "tokens", val: within.id() } : { tag: "any" };
  return {
    tag: "generate",
    val: {
      allow,
      bias,
      params: { temperature, topP, topK, minP },
      splices,
      observe: { tag: observed ? "sampled" : "nothing" },
      until: { tokens, stops: until.map(bytes), triggers },
    },
  };
}

/// Appends text.
export const text = (appended) => edit(0, tokenizer.encode(bytes(appended), false));
/// Takes tokens back.
export const backtrack = (tokens) => edit(tokens, []);
/// Takes tokens back, then appends others.
export const edit = (backtrack, tokens, heal = false) =>
  ({ tag: "edit", val: { backtrack, tokens, heal } });
/// So many branches more.
export const fork = (branches) => ({ tag: "fork", val: branches });
/// Waits for one of these variables to change.
export const waitForVariables = (...names) =>
  ({ tag: "suspend", val: { tag: "variables", val: names } });
/// Waits for these branches to end.
export const waitForBranches = (...branches) =>
  ({ tag: "suspend", val: { tag: "branches", val: branches } });
/// The branch is done, and the answer if it is to be kept.
export const stop = (keep = true) => ({ tag: "stop", val: { reason: "done", keep } });
/// An error that ends the request: `throw invalid("...")`.
export const invalid = (reason) => ({ tag: "invalid", val: reason });

/// The bytes of a text; what are bytes already stay.
export function bytes(text) {
  if (typeof text !== "string") return text;
  const escaped = unescape(encodeURIComponent(text));
  return Uint8Array.from(escaped, (character) => character.charCodeAt(0));
}

/// The cases of the contract's `error` and `decision`.
const ERRORS = ["denied", "limit", "invalid", "unavailable", "cancelled"];
const DECISIONS = ["generate", "edit", "fork", "suspend", "stop"];

/// Has what a controller throws end the request in its own words, and logs where it came from: a trap would say
/// neither. An error of the contract is said as it is.
function told(act) {
  try {
    return act();
  } catch (thrown) {
    // What the host answered with is within the error that it was thrown as.
    const said = thrown?.payload ?? thrown;
    if (ERRORS.includes(said?.tag)) throw said;
    output.log("error", `${thrown}\n${thrown?.stack ?? ""}`);
    throw invalid(`${thrown}`);
  }
}

/// What a controller said, if it is what it should be.
function expected(said, isIt, what) {
  if (isIt(said)) return said;
  throw new TypeError(`${typeof said} is no ${what}`);
}

const isDecision = (said) => DECISIONS.includes(said?.tag);
const isText = (said) => typeof said === "string";

/// What a component exports: `export const controller = exported(YourClass)`. The class has
/// `open(request)` and `step(step)`, and may have `prompt()`, `fork()` and `finish()`.
export function exported(Controller) {
  class Session {
    constructor(made) {
      this.made = made;
    }

    static open(request) {
      return told(() => {
        const made = new Controller();
        made.open?.(request);
        return new Session(made);
      });
    }

    prompt() {
      return told(() => this.made.prompt?.() ?? null);
    }

    step({ why, ...step }) {
      const asked = { ...step, ...why.val, why: why.tag };
      return told(() => expected(this.made.step(asked), isDecision, "decision"));
    }

    fork() {
      return told(() => new Session(this.made.fork?.() ?? copy(this.made)));
    }

    finish() {
      return told(() => expected(this.made.finish?.() ?? "", isText, "text of JSON"));
    }
  }
  return { Session };
}

/// A copy for another branch, however deep the state is. Handles of the host go their own way from
/// here; a grammar never changes and is shared. What cannot be copied is refused. What nobody can
/// see from outside is not copied: private fields (`#name`), and the `this` of a function that was
/// made within the original. A class with either has a `fork()` of its own.
function copy(value, known = new Map()) {
  if (typeof value !== "object" || value === null || value instanceof Grammar) return value;
  if (known.has(value)) return known.get(value);
  const other = begun(value, known);
  known.set(value, other);
  if (value instanceof Map) {
    for (const [key, held] of value) other.set(copy(key, known), copy(held, known));
  } else if (value instanceof Set) {
    for (const held of value) other.add(copy(held, known));
  }
  const isHandle = value instanceof Matcher || value instanceof TokenSet;
  if (isHandle || ArrayBuffer.isView(value)) return other;
  for (const name of Reflect.ownKeys(value)) other[name] = copy(value[name], known);
  return other;
}

/// The copy of a value, before what it holds is put into it.
function begun(value, known) {
  if (value instanceof Matcher || value instanceof TokenSet) return value.fork();
  if (Array.isArray(value)) return [];
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) {
    const length = value instanceof DataView ? value.byteLength : value.length;
    return new value.constructor(copy(value.buffer, known), value.byteOffset, length);
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (/Generator|Iterator|Promise|^Weak/.test(kind)) {
    throw new TypeError(`a ${kind} of the controller's state cannot be copied: give its class a fork()`);
  }
  return Object.create(Object.getPrototypeOf(value));
}
