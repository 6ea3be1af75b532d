/** AI functions that need no signature of their own. */

import { aiFn, type CallOptions } from "./ai-fn.js";
import type { Backend } from "./call.js";
import { s } from "./schema/index.js";
import { Type } from "./schema/type.js";

/** Which of the labels fits a text. */
export function classify<const V extends string>(
  backend: Backend,
  labels: readonly V[],
  text: string,
  options?: CallOptions,
): Promise<V> {
  return once(backend, "classify", "Say which label fits the text best.", s.enum(labels), text, options);
}

/** The value that a text tells of. */
export function extract<T>(backend: Backend, type: Type<T>, text: string, options?: CallOptions): Promise<T> {
  const instruction = "Extract from the text what the schema asks for. Say only what the text says.";
  return once(backend, "extract", instruction, type, text, options);
}

/** Something as a value of the type that means the same. */
export function cast<T>(backend: Backend, type: Type<T>, value: unknown, options?: CallOptions): Promise<T> {
  return once(backend, "cast", "Say the same in the form that the schema asks for.", type, value, options);
}

/** So many different values; what the type is described as is what they are about. */
export function generate<T>(backend: Backend, type: Type<T>, count: number, options?: CallOptions): Promise<T[]> {
  const instruction = "Think of as many different and realistic examples as are asked for.";
  const output = s.array(type, { min: count, max: count });
  const input = s.object({ count: s.integer() });
  return aiFn(backend, { name: "generate", instruction, input, output })({ count }, options);
}

/** Takes whatever has JSON. */
const ANYTHING = new Type<unknown>({ node: () => ({}), read: (value) => value });

function once<T>(
  backend: Backend,
  name: string,
  instruction: string,
  output: Type<T>,
  value: unknown,
  options?: CallOptions,
): Promise<T> {
  return aiFn(backend, { name, instruction, input: ANYTHING, output, temperature: 0 })(value, options);
}
