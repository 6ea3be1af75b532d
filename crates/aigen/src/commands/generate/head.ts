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
  asked_before?: string[];
}

/** A value, and what it took. */
export interface Reply<Value> {
  value: Value;
  receipt: Receipt;
}

/** Why there is no value. `metadata` has a cut answer under `raw`, and the receipt of what was charged. */
export class FunctionError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly metadata: Record<string, unknown>;

  constructor(status: number, error: Record<string, unknown>) {
    super(String(error["message"] ?? `status ${status}`));
    this.name = "FunctionError";
    this.status = status;
    this.code = typeof error["code"] === "string" ? error["code"] : undefined;
    this.param = typeof error["param"] === "string" ? error["param"] : undefined;
    const metadata = error["metadata"];
    this.metadata = typeof metadata === "object" && metadata !== null ? { ...metadata } : {};
  }
}

/** A node. */
export class Client {
  private readonly url: string;
  private readonly key: string;

  constructor(node: { url: string; key: string }) {
    this.url = node.url.replace(/\/+$/, "");
    this.key = node.key;
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
    const response = await fetch(`${this.url}/v1/functions/${name}`, request);
    if (!response.ok) {
      throw new FunctionError(response.status, await errorOf(response));
    }
    return (await response.json()) as Reply<Value>;
  }
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
