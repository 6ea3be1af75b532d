/** Single values, and choices between types. */

import { Mismatch, SchemaError, Type, typed, type Infer, type JsonSchema, type Maker } from "./type.js";

/** What JSON has one word for. */
export type Literal = string | number | boolean | null;

/** `true` or `false`. */
export function boolean(): Type<boolean> {
  return new Type({
    node: () => ({ type: "boolean" }),
    read: (value, at) => {
      if (typeof value !== "boolean") throw new Mismatch(at, "true or false", value);
      return value;
    },
  });
}

/** This value alone. */
export function literal<const V extends Literal>(value: V): Type<V> {
  written(value);
  return new Type({ node: () => ({ const: value }), read: among([value]) });
}

/** One of these values. */
export function oneOf<const V extends Literal>(values: readonly V[]): Type<V> {
  if (values.length === 0) throw new SchemaError("an enum without values", "give it one at least");
  values.forEach(written);
  const distinct = [...new Set(values)];
  return new Type({ node: () => ({ enum: distinct }), read: among(distinct) });
}

/** What JSON cannot write would be another value, or any. */
function written(value: unknown): void {
  const simple = value === null || typeof value === "string" || typeof value === "boolean";
  if (simple || (typeof value === "number" && Number.isFinite(value))) return;
  throw new SchemaError(`the value ${String(value)} cannot be written in JSON`, "use texts, numbers, true, false or null");
}

function among<V extends Literal>(values: readonly V[]): (value: unknown, at: string) => V {
  return (value, at) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw new Mismatch(at, values.map((one) => JSON.stringify(one)).join(" or "), value);
    return found;
  };
}

/** The type's values, or `null`. */
export function nullable<T>(of: Type<T>): Type<T | null> {
  return union([of, literal(null)]);
}

/** A value of any of these types; the first that it is of reads it. */
export function union<const U extends readonly [Type<unknown>, ...Type<unknown>[]]>(of: U): Type<Infer<U[number]>> {
  if (of.length < 1) throw new SchemaError("a union of no types", "give it one at least");
  for (const type of of) typed(type, "a type of a union");
  return new Type({
    node: (maker) => anyOf(of.map((type) => type.node(maker)).filter((node) => node !== undefined)),
    read: (value, at) => {
      const whys = [];
      for (const type of of) {
        try {
          return type.read(value, at) as Infer<U[number]>;
        } catch (error) {
          if (!(error instanceof Mismatch)) throw error;
          whys.push(error.message);
        }
      }
      throw new Mismatch(at, `one of ${of.length} types (${whys.join("; ")})`, value);
    },
  });
}

/** A type that is made later, so that it may contain itself. It is written out a few levels deep. */
export function lazy<T>(make: () => Type<T>): Type<T> {
  let made: Type<T> | undefined;
  const of = () => (made ??= typed(make(), "what is made later"));
  return new Type({
    // One type may be made in several places, and one function may make a type anew each time.
    node: (maker) => within(maker, make, () => within(maker, of(), () => of().node(maker))),
    read: (value, at) => of().read(value, at),
  });
}

function within(maker: Maker, part: object, write: () => JsonSchema | undefined): JsonSchema | undefined {
  const inside = maker.inside.get(part) ?? 0;
  if (inside >= maker.depth) return undefined;
  maker.inside.set(part, inside + 1);
  const node = write();
  maker.inside.set(part, inside);
  return node;
}

/** One of these; `undefined` if there is none. */
export function anyOf(nodes: readonly JsonSchema[]): JsonSchema | undefined {
  return nodes.length > 1 ? { anyOf: nodes } : nodes[0];
}
