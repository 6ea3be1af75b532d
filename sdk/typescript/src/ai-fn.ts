/** A signature becomes a function that a model computes. */

import { AiError } from "./ai-error.js";
import { parseAmount } from "./amount.js";
import { make, type Backend, type Detailed, type Plan, type Verdict } from "./call.js";
import { AT_ONCE, RETRIES, TOKENS } from "./limits.js";
import { promptOf, type Prompt } from "./prompt.js";
import { schemaOf, type JsonSchema } from "./schema/index.js";
import type { Type } from "./schema/type.js";
import type { RequestOptions } from "./transport.js";

/** What a call may say for itself; what it does not say is the function's. */
export interface CallOptions {
  /** Which model answers; otherwise `AIGEN_MODEL`, or the server's first. */
  readonly model?: string;
  /** 0 to 2; 0 is the likeliest answer. */
  readonly temperature?: number;
  /** Names the stream of chance. */
  readonly seed?: number;
  /** What the call may cost however often the model is asked: AIGEN as text, or nano-AIGEN. */
  readonly budget?: string | bigint;
  /** A controller that steers instead of the type's schema, which its answer then has to fit. */
  readonly controller?: string;
  /** What the controller is given; only with a controller. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Which user pays, by an allowance to the key's account, like `user:ada`; otherwise the key's account does. */
  readonly billTo?: string;
  /** Ends the call. */
  readonly signal?: AbortSignal;
  /** Milliseconds that one attempt of a request may take. */
  readonly timeoutMs?: number;
}

/** What an AI function is. */
export interface Definition<I, O> extends Omit<CallOptions, "signal"> {
  /** What to do. */
  readonly instruction: string;
  /** What it takes: the fields of an object are its arguments, and what they are described as. */
  readonly input: Type<I>;
  /** What it gives. */
  readonly output: Type<O>;
  /** Up to 64 letters, digits, `_` and `-`; `answer` otherwise. */
  readonly name?: string;
  /** Output tokens of one answer; 1,024 otherwise. */
  readonly maxTokens?: number;
  /** How often the model is asked again after an answer that was not accepted; 2 otherwise. */
  readonly retries?: number;
  /** Says why a value is refused; that is told to the model. */
  readonly check?: (value: O, args: I) => Verdict | Promise<Verdict>;
  /** More for the model to know, from the arguments. */
  readonly context?: (args: I) => string;
}

/** Calls of a map. */
export interface MapOptions extends CallOptions {
  /** How many are under way at once; 8 otherwise. */
  readonly concurrency?: number;
}

/** A function that a model computes. */
export interface AiFn<I, O> {
  /** The value. */
  (args: I, options?: CallOptions): Promise<O>;
  /** The value, and what it took. */
  detailed(args: I, options?: CallOptions): Promise<Detailed<O>>;
  /** The exact messages, without a call. */
  prompt(args: I): Prompt;
  /** The JSON Schema that the decoder enforces. */
  schema(): JsonSchema;
  /** Each item's own answer, in their order: one that fails does not stop the others. */
  map(items: Iterable<I>, options?: MapOptions): Promise<PromiseSettledResult<O>[]>;
}

/** Makes a function of its definition. Throws a `SchemaError` if the output cannot be promised. */
export function aiFn<I, O>(backend: Backend, definition: Definition<I, O>): AiFn<I, O> {
  const { instruction, input, output, context } = definition;
  const schema = schemaOf(output);
  const prompt = (args: I) => promptOf(instruction, input, args, context?.(args) ?? "", schema);
  const detailed = async (args: I, options: CallOptions = {}) =>
    make(planOf(backend, definition, schema, prompt(args), args, options));
  const call = async (args: I, options?: CallOptions) => (await detailed(args, options)).value;
  const map = (items: Iterable<I>, { concurrency = AT_ONCE, ...options }: MapOptions = {}) =>
    settled([...items], concurrency, (args) => call(args, options));
  return Object.assign(call, { detailed, prompt, schema: () => schema, map });
}

function planOf<I, O>(
  backend: Backend,
  definition: Definition<I, O>,
  schema: JsonSchema,
  { messages }: Prompt,
  args: I,
  options: CallOptions,
): Plan<O> {
  const { name = "answer", output, check, maxTokens = TOKENS, retries = RETRIES } = definition;
  const { model, temperature, seed, budget, controller, params, billTo, signal, timeoutMs } = { signal: undefined, ...definition, ...options };
  return {
    backend,
    name,
    messages,
    schema,
    output,
    check: (value) => check?.(value, args),
    model,
    controller,
    params,
    billTo,
    budget: typeof budget === "string" ? parsed(budget) : budget,
    retries,
    sampling: { max_completion_tokens: maxTokens, temperature, seed },
    sending: sendingOf(signal, timeoutMs),
  };
}

function sendingOf(signal: AbortSignal | undefined, timeoutMs: number | undefined): RequestOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

function parsed(budget: string): bigint {
  try {
    return parseAmount(budget);
  } catch (cause) {
    throw new AiError.Setup(`budget: ${(cause as Error).message}`, { cause });
  }
}

/** What came of each, so many under way at once. */
async function settled<I, O>(
  items: readonly I[],
  concurrency: number,
  call: (item: I) => Promise<O>,
): Promise<PromiseSettledResult<O>[]> {
  const results = new Array<PromiseSettledResult<O>>(items.length);
  const left = items.entries();
  const worker = async () => {
    for (const [at, item] of left) [results[at]] = await Promise.allSettled([call(item)] as const);
  };
  const workers = Math.min(Math.max(1, Math.floor(concurrency) || 1), items.length);
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
