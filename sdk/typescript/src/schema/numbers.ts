/** Numbers that a double holds exactly enough. */

import { NUMBER_MAX } from "../limits.js";
import { anyOf } from "./scalars.js";
import { Mismatch, SchemaError, Type, type JsonSchema } from "./type.js";

/** Inclusive bounds. */
export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
}

/** A number, within ±10^15 where nothing narrower is said. */
export function number({ min, max }: NumberBounds = {}): Type<number> {
  // JSON has no infinite number: a bound that is one is none.
  const least = min === -Infinity ? undefined : min;
  const most = max === Infinity ? undefined : max;
  const [low, high] = bounds(least ?? -NUMBER_MAX, most ?? NUMBER_MAX);
  return new Type({
    node: () => ({ type: "number", minimum: low, maximum: high }),
    read: (value, at) => {
      const fits = typeof value === "number" && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
      if (!fits || !Number.isFinite(value)) throw new Mismatch(at, `a number from ${low} to ${high}`, value);
      return value + 0;
    },
  });
}

/** A whole number, within ±(2^53 − 1) where nothing narrower is said. */
export function integer({ min, max }: NumberBounds = {}): Type<number> {
  const most = Number.MAX_SAFE_INTEGER;
  const [low, high] = bounds(Math.max(Math.ceil(min ?? -most), -most), Math.min(Math.floor(max ?? most), most));
  // Negative ones stand apart from the others, since `-0` is an integer in JSON.
  const ranges = [range(low, Math.min(high, -1)), range(Math.max(low, 0), high)];
  return new Type({
    node: () => anyOf(ranges.filter((node) => node !== undefined)),
    read: (value, at) => {
      const fits = Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high;
      if (!fits) throw new Mismatch(at, `an integer from ${low} to ${high}`, value);
      return (value as number) + 0;
    },
  });
}

function range(minimum: number, maximum: number): JsonSchema | undefined {
  // `+ 0`: no `-0` from rounding.
  return minimum <= maximum ? { type: "integer", minimum: minimum + 0, maximum: maximum + 0 } : undefined;
}

function bounds(low: number, high: number): readonly [number, number] {
  if (low <= high) return [low + 0, high + 0];
  throw new SchemaError(`no number is from ${low} to ${high}`, "give a min that is at most max");
}
