/**
 * Typed AI functions of an AiGen node. Written by `aigen gen ts`: change the functions, not this file.
 *
 * It needs `fetch`, and nothing else.
 */

/** How a function is computed and paid. */
export interface Options {
  model?: string;
  seed?: number;
  temperature?: number;
  max_tokens?: number;
  /** The most it may cost, in AIGEN, as a decimal. */
  max_cost?: string;
  end_user?: string;
  bill_to?: string;
  /** Two calls with one key are one, and charged once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** What a value took. `cost` is in AIGEN. */
export interface Receipt {
  id: string;
  cost: string;
  guarantee: "decoder" | "retry";
  function: string;
  function_digest: string;
  model: string;
  journal_seq: number;
  usage: Record<string, unknown>;
  closed_early?: boolean;
  asked_before?: string[];
}

/** A value, and what it took. */
export interface Reply<Value> {
  value: Value;
  receipt: Receipt;
}

/**
 * Why there is no value; status 0 where no node was reached. `metadata` has a cut answer under `raw`, and the receipt
 * of what was charged.
 */
export class FunctionError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly hint: string | undefined;
  readonly metadata: Record<string, unknown>;

  constructor(status: number, error: Record<string, unknown>) {
    super(String(error["message"] ?? `status ${status}`));
    this.name = "FunctionError";
    this.status = status;
    this.code = typeof error["code"] === "string" ? error["code"] : undefined;
    this.param = typeof error["param"] === "string" ? error["param"] : undefined;
    this.hint = typeof error["hint"] === "string" ? error["hint"] : undefined;
    const metadata = error["metadata"];
    this.metadata = typeof metadata === "object" && metadata !== null ? { ...metadata } : {};
  }
}

/** A node, with or without the final /v1; without arguments that of AIGEN_URL, asked with AIGEN_KEY. */
export class Client {
  private readonly url: string;
  private readonly key: string;

  constructor(node: { url?: string; key?: string } = {}) {
    const url = node.url || environment("AIGEN_URL") || "http://127.0.0.1:8000";
    this.url = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.key = node.key ?? environment("AIGEN_KEY") ?? "";
  }

  /** Any function by its name. */
  async call<Value>(name: string, input: object, options: Options = {}): Promise<Reply<Value>> {
    const { idempotencyKey, signal, ...aigen } = options;
    const headers: Record<string, string> = {
      "content-type": "application/json",
      authorization: `Bearer ${this.key}`,
    };
    if (idempotencyKey !== undefined) {
      headers["idempotency-key"] = idempotencyKey;
    }
    const body = JSON.stringify({ input, aigen });
    const request: RequestInit = { method: "POST", headers, body };
    if (signal !== undefined) {
      request.signal = signal;
    }
    const response = await fetch(`${this.url}/v1/functions/${name}`, request).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      const hint = "start a node with `aigen dev`, or name one: AIGEN_URL";
      throw new FunctionError(0, { message: `no node was reached at ${this.url}: ${reason(cause)}\nhint: ${hint}`, hint });
    });
    if (!response.ok) {
      throw new FunctionError(response.status, await errorOf(response));
    }
    return (await response.json()) as Reply<Value>;
  }
}

/** What `fetch` itself says is "fetch failed"; the reason lies below. */
function reason(cause: unknown): string {
  const below = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return below instanceof Error ? below.message || below.name : String(below);
}

/** Of Node.js and what is like it; in a browser there is none. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}

async function errorOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { error?: Record<string, unknown> };
    return body.error ?? { message: text };
  } catch {
    return { message: text };
  }
}
