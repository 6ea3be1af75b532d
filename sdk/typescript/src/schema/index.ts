/** The schema of a type, made so that whatever follows it is read back. */

import { DEPTH_MAX, NODES_MAX } from "../limits.js";
import * as collections from "./collections.js";
import * as numbers from "./numbers.js";
import * as scalars from "./scalars.js";
import { string } from "./strings.js";
import { SchemaError, typed, type JsonSchema, type Maker, type Type } from "./type.js";

export { SchemaError, type Infer, type JsonSchema } from "./type.js";

/** Builders of types. */
export const s = {
  string,
  number: numbers.number,
  integer: numbers.integer,
  boolean: scalars.boolean,
  literal: scalars.literal,
  enum: scalars.oneOf,
  nullable: scalars.nullable,
  union: scalars.union,
  lazy: scalars.lazy,
  object: collections.object,
  optional: collections.optional,
  array: collections.array,
  tuple: collections.tuple,
  record: collections.record,
} as const;

class TooLarge extends Error {}

/** Types that contain themselves are written out to some depth; as deep as the size allows. */
export function schemaOf(type: Type<unknown>): JsonSchema {
  typed(type, "what a function takes or gives");
  for (let depth = DEPTH_MAX; depth >= 1; depth -= 1) {
    try {
      const schema = type.node(makerOf(depth, type));
      if (schema !== undefined) return schema;
      throw new SchemaError("no finite value is of this type", "let it end somewhere: make a field nullable, or an array");
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
    }
  }
  throw new SchemaError(
    `written out, the schema has more than ${NODES_MAX} parts`,
    "ask for a smaller type, in several calls",
  );
}

function makerOf(depth: number, root: object): Maker {
  let nodes = 0;
  const count = () => {
    nodes += 1;
    if (nodes > NODES_MAX) throw new TooLarge();
  };
  return { depth, count, inside: new Map([[root, 1]]) };
}
