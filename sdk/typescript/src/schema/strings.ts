/** Texts. */

import { LENGTH_MAX } from "../limits.js";
import { Mismatch, SchemaError, Type, count } from "./type.js";

/** What a text looks like. */
export interface StringBounds {
  /** Characters at least. */
  readonly min?: number;
  /** Characters at most; 1,000 where nothing is said. */
  readonly max?: number;
  /** A regular expression without look-around and back-references. */
  readonly pattern?: RegExp | string;
}

/**
 * Formats that decoders enforce, how loosely they are read, and characters at most: an address or
 * a fraction of a second has no end of its own.
 */
const FORMATS = {
  date: [/^\d{4}-\d{2}-\d{2}$/, 10],
  time: [/^\d{2}:\d{2}:\d{2}(\.\d+)?(z|[+-]\d{2}:\d{2})$/i, 32],
  "date-time": [/^\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}:\d{2}(\.\d+)?(z|[+-]\d{2}:\d{2})$/i, 48],
  email: [/^\S+@\S+$/, 254],
  ipv4: [/^\d{1,3}(\.\d{1,3}){3}$/, 15],
  uuid: [/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, 36],
} as const;

/** A format of texts. */
export type Format = keyof typeof FORMATS;

/** A text of a format. */
export interface FormatBounds {
  readonly format: Format;
  /** Characters at most; as long as the format is otherwise, and 254 for an address. */
  readonly max?: number;
  readonly pattern?: never;
}

/** A text. */
export function string(bounds: StringBounds | FormatBounds = {}): Type<string> {
  return "format" in bounds ? formatted(bounds) : bounded(bounds);
}

function formatted({ format, max }: FormatBounds): Type<string> {
  if (!Object.hasOwn(FORMATS, format)) {
    throw new SchemaError(`the format ${format} cannot be enforced`, `use one of ${Object.keys(FORMATS).join(", ")}`);
  }
  count("characters", 0, max);
  const [pattern, longest] = FORMATS[format];
  return new Type({
    node: () => ({ type: "string", format, maxLength: max ?? longest }),
    read: (value, at) => {
      if (typeof value !== "string" || !pattern.test(value)) throw new Mismatch(at, `a text of format ${format}`, value);
      return value;
    },
  });
}

function bounded({ min = 0, max, pattern }: StringBounds): Type<string> {
  count("characters", min, max);
  const written = pattern === undefined ? undefined : narrow(sourceOf(pattern));
  const reader = written === undefined ? undefined : compiled(written);
  const node = { type: "string", minLength: min, maxLength: max ?? Math.max(LENGTH_MAX, min) };
  return new Type({
    node: () => (written === undefined ? node : { ...node, pattern: written }),
    read: (value, at) => {
      if (typeof value !== "string") throw new Mismatch(at, "a text", value);
      // Code points, as JSON Schema counts them.
      const length = [...value].length;
      if (length < min || length > (max ?? Infinity)) {
        throw new Mismatch(at, `${min} to ${max ?? "any number of"} characters`, value);
      }
      if (reader?.test(value) === false) throw new Mismatch(at, `a text like ${written}`, value);
      return value;
    },
  });
}

function sourceOf(pattern: RegExp | string): string {
  if (typeof pattern === "string") return pattern;
  const flags = pattern.flags.replace(/[su]/g, "");
  if (flags === "") return pattern.source;
  throw refused(pattern.source, `the flags ${flags} are not part of JSON Schema`, "spell them out");
}

/** Decoders read `.` as all but a line feed, and JSON Schema knows Unicode: the reader is as wide. */
function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "su");
  } catch (error) {
    throw refused(pattern, error instanceof Error ? error.message : String(error), "write it so that new RegExp(…, \"u\") takes it");
  }
}

const CLASSES: Readonly<Record<string, string>> = { d: "0-9", w: "A-Za-z0-9_" };

/**
 * What decoders take for a digit or a letter is any of Unicode's, what JavaScript does is ASCII:
 * the pattern is sent with JavaScript's meaning spelled out.
 */
function narrow(pattern: string): string {
  if (/\(\?<?[=!]/.test(pattern.replace(/\\./gs, ""))) {
    throw refused(pattern, "it looks around", "write it without look-around and back-references");
  }
  let inClass = false;
  return pattern.replace(/\\(.)|[[\]]/gs, (token, escaped: string | undefined) => {
    if (escaped === undefined) {
      inClass = token === "[";
      return token;
    }
    if (/[1-9kDWSsbB]/.test(escaped) && !(escaped === "D" && !inClass) && !(escaped === "W" && !inClass)) {
      throw refused(pattern, `\\${escaped} means something else to decoders`, "spell out which characters it stands for");
    }
    const characters = CLASSES[escaped.toLowerCase()];
    if (characters === undefined) return token;
    if (inClass) return characters;
    return escaped === escaped.toLowerCase() ? `[${characters}]` : `[^${characters}]`;
  });
}

function refused(pattern: string, why: string, hint: string): SchemaError {
  return new SchemaError(`the pattern ${JSON.stringify(pattern)} cannot be enforced: ${why}`, hint);
}
