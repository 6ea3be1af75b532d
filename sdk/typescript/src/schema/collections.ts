/** Values made of values. */

import { ENTRIES_MAX, ITEMS_MAX } from "../limits.js";
import * as type from "./type.js";
import { Mismatch, ObjectType, Optional, Type, count, typed, type Fields, type Infer } from "./type.js";

/** How many. */
export interface CountBounds {
  readonly min?: number;
  readonly max?: number;
}

/** An object of these fields and no others. */
export function object<F extends Fields>(fields: F): ObjectType<F> {
  return new ObjectType(fields);
}

/** A field that may be missing. */
export function optional<T>(of: Type<T>): Optional<T> {
  return new Optional(of);
}

/** A list; of 32 items at most where nothing is said. */
export function array<T>(items: Type<T>, { min = 0, max }: CountBounds = {}): Type<T[]> {
  typed(items, "an item");
  count("items", min, max);
  return new Type({
    node: (maker) => {
      const node = items.node(maker);
      if (node === undefined) return min === 0 ? { const: [] } : undefined;
      return { type: "array", items: node, minItems: min, maxItems: max ?? Math.max(ITEMS_MAX, min) };
    },
    read: (value, at) => {
      const list = sized(value, at, min, max ?? Infinity);
      return list.map((item, index) => items.read(item, `${at}[${index}]`));
    },
  });
}

/** A list with a type for each place. */
export function tuple<const U extends readonly Type<unknown>[]>(items: U): Type<{ -readonly [K in keyof U]: Infer<U[K]> }> {
  const { length } = items;
  for (const item of items) typed(item, "an item");
  return new Type({
    node: (maker) => {
      const nodes = items.map((item) => item.node(maker));
      if (nodes.includes(undefined)) return undefined;
      return { type: "array", prefixItems: nodes, items: false, minItems: length, maxItems: length };
    },
    read: (value, at) => {
      const list = sized(value, at, length, length);
      const read = items.map((item, index) => item.read(list[index], `${at}[${index}]`));
      return read as { -readonly [K in keyof U]: Infer<U[K]> };
    },
  });
}

/** Values by names that the model chooses; 16 at most where nothing is said. */
export function record<T>(values: Type<T>, { min = 0, max }: CountBounds = {}): Type<Record<string, T>> {
  typed(values, "a value");
  count("entries", min, max);
  return new Type({
    node: (maker) => {
      const node = values.node(maker);
      if (node === undefined) return min === 0 ? { type: "object", properties: {}, additionalProperties: false } : undefined;
      const most = { maxProperties: max ?? Math.max(ENTRIES_MAX, min) };
      const least = min === 0 ? {} : { minProperties: min };
      return { type: "object", additionalProperties: node, ...most, ...least };
    },
    read: (value, at) => {
      const entries = Object.entries(type.record(value, at));
      if (entries.length < min || entries.length > (max ?? Infinity)) throw new Mismatch(at, counted(min, max, "entries"), value);
      return Object.fromEntries(entries.map(([name, entry]) => [name, values.read(entry, `${at}.${name}`)]));
    },
  });
}

function sized(value: unknown, at: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new Mismatch(at, "a list", value);
  if (value.length < min || value.length > max) throw new Mismatch(at, counted(min, max, "items"), value);
  return value;
}

function counted(min: number, max: number | undefined, what: string): string {
  if (min === max) return `${min} ${what}`;
  return max === undefined || max === Infinity ? `at least ${min} ${what}` : `${min} to ${max} ${what}`;
}
