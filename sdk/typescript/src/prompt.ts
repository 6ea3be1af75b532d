/** What the model reads. */

import { AiError } from "./ai-error.js";
import type { JsonSchema } from "./schema/index.js";
import { Mismatch, ObjectType, type Fields, type Type } from "./schema/type.js";

/** One message, in OpenAI's form. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The messages of a call. */
export interface Prompt {
  /** What the function does, what its arguments are, and what an answer looks like. */
  readonly system: string;
  /** The arguments. */
  readonly user: string;
  /** Both. */
  readonly messages: readonly Message[];
}

/** The prompt of a call with these arguments. */
export function promptOf<I>(instruction: string, input: Type<I>, args: I, context: string, schema: JsonSchema): Prompt {
  const given = entries(input, args);
  const described = given.filter(([, description]) => description !== "");
  const lines = described.map(([name, description]) => `\n\`${name}\` is ${description}.`);
  const beside = context === "" ? "" : `\n\n${context}`;
  const system = `${instruction}${lines.join("")}${beside}\n\nAnswer in JSON of this schema:\n${JSON.stringify(schema)}`;
  const user = textOf(given);
  const messages: Message[] = [
    { role: "system", content: system },
    { role: "user", content: user },
  ];
  return { system, user, messages };
}

type Entry = readonly [name: string, description: string, text: string];

/** Fields of an object are arguments of their own, in their type's order. */
function entries<I>(input: Type<I>, args: I): Entry[] {
  const checked = accepted(input, args);
  if (!(input instanceof ObjectType)) return [["value", input.description, shown(checked)]];
  const values = checked as Record<string, unknown>;
  const fields = Object.entries(input.fields as Fields).filter(([name]) => values[name] !== undefined);
  return fields.map(([name, { description }]) => [name, description, shown(values[name])]);
}

function accepted<I>(input: Type<I>, args: I): I {
  try {
    return input.read(args, "$");
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new AiError.Argument(error.message, { cause: error });
  }
}

/** A single text stands as it is; several arguments stand under their names. */
function textOf(given: readonly Entry[]): string {
  const [only, more] = given;
  if (only !== undefined && more === undefined) return only[2];
  return given.map(([name, , text]) => `${name}:\n${text}`).join("\n\n").trimEnd();
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  const text = json(value);
  if (text === undefined) throw new AiError.Argument(`${typeof value} has no JSON`);
  return text;
}

function json(value: unknown): string | undefined {
  try {
    // `undefined` for what has none, whatever its type says.
    return JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw new AiError.Argument((cause as Error).message, { cause });
  }
}
