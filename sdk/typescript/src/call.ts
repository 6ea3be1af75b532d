/** One call: ask, read, check, ask again. */

import { AiError, aiError } from "./ai-error.js";
import { formatAmount, parseAmount } from "./amount.js";
import type { AiGen } from "./client.js";
import { ApiError } from "./errors.js";
import type { Message } from "./prompt.js";
import type { ChatRequest, ChatResponse, Reply } from "./records.js";
import type { RequestOptions } from "./transport.js";
import type { JsonSchema } from "./schema/index.js";
import { Mismatch, type Type } from "./schema/type.js";

/** Who answers: a server through {@link AiGen}, or anything that does the same. */
export type Backend = Pick<AiGen, "chat" | "model">;

/** Who promised that a value fits its type: the decoder, or nobody before it was read. */
export type Guarantee = "decoder" | "retry";

/** A value, and what it took. */
export interface Detailed<O> {
  readonly value: O;
  /** As the model wrote it. */
  readonly raw: string;
  readonly guarantee: Guarantee;
  /** Of the answer that was taken. Servers other than AiGen give none. */
  readonly receipt: Reply | undefined;
  /** One for each time the model was asked, the last for this value. */
  readonly receipts: readonly Reply[];
  readonly retries: {
    /** How often the model was asked again, since an answer was not accepted. */
    readonly askedAgain: number;
    /** How often a request was sent again, since it did not arrive. */
    readonly sentAgain: number;
  };
  /** What all answers together cost, in nano-AIGEN. */
  readonly cost: bigint;
}

/** What a check says of a value: nothing or `true` if it is good, otherwise why not. */
export type Verdict = string | boolean | void;

/** A call, ready to be made. */
export interface Plan<O> {
  readonly backend: Backend;
  readonly name: string;
  readonly messages: readonly Message[];
  readonly schema: JsonSchema;
  readonly output: Type<O>;
  readonly check: (value: O) => Verdict | Promise<Verdict>;
  readonly model: string | undefined;
  readonly controller: string | undefined;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly billTo: string | undefined;
  /** Nano-AIGEN. */
  readonly budget: bigint | undefined;
  readonly retries: number;
  /** What else the request says. */
  readonly sampling: Readonly<Record<string, unknown>>;
  readonly sending: RequestOptions;
}

/** The part of a plan that asking takes. */
type Asking = Omit<Plan<unknown>, "output" | "check">;

/** Asks until an answer is accepted. */
export async function make<O>(plan: Plan<O>): Promise<Detailed<O>> {
  const talk = new Talk(plan);
  try {
    return await answered(plan, talk);
  } catch (error) {
    const failure = aiError(error);
    failure.raw = talk.raw;
    failure.receipts = talk.receipts;
    throw failure;
  }
}

async function answered<O>(plan: Plan<O>, talk: Talk): Promise<Detailed<O>> {
  for (let askedAgain = 0; ; askedAgain += 1) {
    try {
      const reply = await talk.ask();
      const value = await accepted(plan, reply);
      return {
        value,
        raw: talk.raw,
        guarantee: guaranteeOf(plan, reply),
        receipt: reply.aigen,
        receipts: talk.receipts,
        retries: { askedAgain, sentAgain: talk.sentAgain },
        cost: talk.cost(),
      };
    } catch (error) {
      if (!(error instanceof AiError.Check) || askedAgain >= plan.retries) throw error;
      talk.object(error.why);
    }
  }
}

async function accepted<O>(plan: Plan<O>, reply: ChatResponse): Promise<O> {
  if (reply.aigen?.stop === "budget") throw new AiError.Budget("the answer was cut off where the money ended");
  if (reply.choices[0]?.finish_reason === "length") throw new AiError.Truncated();
  const value = read(plan.output, textOf(reply));
  const why = await objection(plan, value);
  if (why !== undefined) throw new AiError.Check(why.text, { cause: why.cause });
  return value;
}

function read<O>(output: Type<O>, text: string): O {
  try {
    return output.read(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof Mismatch || error instanceof SyntaxError)) throw error;
    throw new AiError.Check(`it is not JSON of the schema: ${error.message}`, { cause: error });
  }
}

interface Objection {
  readonly text: string;
  readonly cause?: unknown;
}

async function objection<O>(plan: Plan<O>, value: O): Promise<Objection | undefined> {
  try {
    const verdict = await plan.check(value);
    // Plain JavaScript says nothing by `null` as often.
    if (verdict === undefined || verdict === null || verdict === true) return undefined;
    return { text: verdict === false ? "the check does not accept it" : verdict };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return { text: `the check itself threw: ${message}`, cause };
  }
}

function guaranteeOf<O>(plan: Plan<O>, reply: ChatResponse): Guarantee {
  const { grammar_complete: complete, guarantee } = reply.aigen ?? {};
  return plan.controller === undefined && complete === true && guarantee === "decoder" ? "decoder" : "retry";
}

/** What was said so far. */
class Talk {
  readonly receipts: Reply[] = [];
  readonly #messages: Message[];
  raw = "";
  sentAgain = 0;

  constructor(readonly plan: Asking) {
    this.#messages = [...plan.messages];
  }

  /** One answer, for what is left of the budget. */
  async ask(): Promise<ChatResponse> {
    const { plan } = this;
    const request = this.#request(plan.model ?? (await plan.backend.model()));
    const onRetry: RequestOptions["onRetry"] = (error) => {
      this.sentAgain += 1;
      plan.sending.onRetry?.(error);
    };
    const reply = await plan.backend.chat(request, { ...plan.sending, onRetry }).catch((error: unknown) => {
      this.receipts.push(...chargedAllTheSame(error));
      throw this.#unfit(error);
    });
    this.raw = textOf(reply);
    if (reply.aigen !== undefined) this.receipts.push(reply.aigen);
    return reply;
  }

  /** A model elsewhere said something that is not of the schema: the server says what. */
  #unfit(error: unknown): unknown {
    if (!(error instanceof ApiError) || error.status !== 502 || typeof error.metadata["raw"] !== "string") return error;
    this.raw = error.metadata["raw"];
    const hint = error.hint ?? "";
    const why = error.message.endsWith(hint) ? error.message.slice(0, error.message.length - hint.length) : error.message;
    return new AiError.Check(why.replace(/[; ]+$/, ""), { cause: error });
  }

  #request(model: string): ChatRequest {
    const { name, schema, controller, params, billTo, budget, sampling } = this.plan;
    const format = { type: "json_schema", json_schema: { name, schema, strict: true } };
    const left = budget === undefined ? undefined : formatAmount(larger(budget - this.cost(), 0n));
    const aigen = {
      ...(controller === undefined ? {} : { controller }),
      ...(params === undefined ? {} : { params }),
      ...(billTo === undefined ? {} : { bill_to: billTo }),
      ...(left === undefined ? {} : { max_cost: left }),
    };
    return {
      model,
      messages: this.#messages,
      ...sampling,
      ...(controller === undefined ? { response_format: format } : {}),
      ...(Object.keys(aigen).length === 0 ? {} : { aigen }),
    };
  }

  /** Says what is wrong with an answer. */
  object(why: string): void {
    this.#messages.push(
      { role: "assistant", content: this.raw },
      { role: "user", content: `That was not accepted: ${why}. Answer again.` },
    );
  }

  cost(): bigint {
    return this.receipts.reduce((sum, { cost }) => sum + parseAmount(cost), 0n);
  }
}

/** A call whose controller failed is charged for what was computed, and its error names the receipt. */
function chargedAllTheSame(error: unknown): Reply[] {
  const { receipt, cost } = error instanceof ApiError ? error.metadata : {};
  return typeof receipt === "string" && typeof cost === "string" ? [{ receipt, cost }] : [];
}

function textOf(reply: ChatResponse): string {
  return reply.choices[0]?.message.content ?? "";
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
