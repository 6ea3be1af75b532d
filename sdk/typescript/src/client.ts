/** A server and a key for it. */

import { AiGenError, ConnectionError, SetupError } from "./errors.js";
import { environment, keyOfDev, LOCAL, running } from "./here.js";
import { parseRecord } from "./json.js";
import { QUOTE_CHARS_MAX, SENDS_AGAIN, TIMEOUT_MS } from "./limits.js";
import type { Account, AnyReceipt, ChatRequest, ChatResponse, Controller, Model, Receipt, Usage, UsageQuery } from "./records.js";
import { send, type RequestOptions } from "./transport.js";

/** Which server, and how it is asked. */
export interface AiGenOptions {
  /** With or without the final `/v1`; `AIGEN_URL` otherwise, else the node of the data folder, else port 8000 here. */
  readonly baseUrl?: string;
  /** `AIGEN_KEY` otherwise, else, of a node on this machine, what `aigen dev` keeps; an empty one is not sent. */
  readonly key?: string;
  /** Milliseconds that one attempt may take, answer included; 600,000 otherwise. */
  readonly timeoutMs?: number;
  /** How often a request that did not arrive is sent again; 3 otherwise. */
  readonly retries?: number;
  /** Who makes the requests; the global `fetch` otherwise. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A client of an AiGen node. It keeps nothing but the name of the server's first model. */
export class AiGen {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly #key: string;
  readonly #fetch: typeof globalThis.fetch;
  #model: Promise<string> | undefined;

  constructor(options: AiGenOptions = {}) {
    // An empty variable is one that is not set.
    this.baseUrl = root(options.baseUrl ?? (environment("AIGEN_URL") || running() || LOCAL));
    this.#key = options.key ?? environment("AIGEN_KEY") ?? keyOfDev(this.baseUrl);
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.retries = options.retries ?? SENDS_AGAIN;
    this.#fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  }

  /** One chat completion. However often it has to be sent, it is charged once. */
  async chat(request: ChatRequest, options: RequestOptions = {}): Promise<ChatResponse> {
    const once = { ...options, idempotencyKey: options.idempotencyKey ?? randomKey() };
    const text = await this.#send("POST", "/v1/chat/completions", JSON.stringify(request), once);
    const response = parse(text, JSON.parse) as Partial<ChatResponse> | null;
    if (!Array.isArray(response?.choices)) throw unclear(text);
    return response as ChatResponse;
  }

  /** What a call, or a read of a dataset, came to: by its receipt's id, or by the completion itself. */
  async receipt(of: object, options?: RequestOptions): Promise<Receipt>;
  async receipt(of: string | object, options?: RequestOptions): Promise<AnyReceipt>;
  async receipt(of: string | object, options?: RequestOptions): Promise<AnyReceipt> {
    const id = typeof of === "string" ? of : receiptId(of);
    if (id === undefined) {
      throw new AiGenError("this is no reply of AiGen: it names no receipt\nhint: of a stream the last part does");
    }
    const record = await this.#get<AnyReceipt>(`/v1/aigen/receipts/${encodeURIComponent(id)}`, options);
    return { ...record, created: BigInt(record.created) };
  }

  /** The key's account, or another that it may see. */
  account(address?: string, options?: RequestOptions): Promise<Account> {
    const path = address === undefined ? "account" : `accounts/${encodeURIComponent(address)}`;
    return this.#get(`/v1/aigen/${path}`, options);
  }

  /** Calls that ended, what they used and what they cost. */
  async usage(query: UsageQuery = {}, options?: RequestOptions): Promise<readonly Usage[]> {
    const { by, ...rest } = query;
    const given = Object.entries({ ...rest, by: by?.join(",") }).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given as [string, string][]).toString();
    return this.#list(`/v1/aigen/usage${search && `?${search}`}`, options);
  }

  /** Published controllers. */
  controllers(options?: RequestOptions): Promise<readonly Controller[]> {
    return this.#list("/v1/aigen/controllers", options);
  }

  /** The models of this node. */
  models(options?: RequestOptions): Promise<readonly Model[]> {
    return this.#list("/v1/models", options);
  }

  /** The model for requests that name none: `AIGEN_MODEL`, or the server's first. */
  model(): Promise<string> {
    const named = environment("AIGEN_MODEL");
    if (named) return Promise.resolve(named);
    this.#model ??= this.#firstModel().catch((error: unknown) => {
      this.#model = undefined;
      throw error;
    });
    return this.#model;
  }

  async #firstModel(): Promise<string> {
    const [first] = await this.models();
    if (first === undefined) throw new SetupError("the server has no model");
    return first.id;
  }

  async #list<T>(path: string, options: RequestOptions | undefined): Promise<readonly T[]> {
    return (await this.#get<{ data: readonly T[] }>(path, options)).data;
  }

  async #get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return parse(await this.#send("GET", path, undefined, options), parseRecord) as T;
  }

  #send(method: string, path: string, body: string | undefined, options: RequestOptions): Promise<string> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (this.#key !== "") headers["authorization"] = `Bearer ${this.#key}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    if (options.idempotencyKey !== undefined) headers["idempotency-key"] = options.idempotencyKey;
    return send({
      fetch: this.#fetch,
      url: this.baseUrl + path,
      init: body === undefined ? { method, headers } : { method, headers, body },
      timeoutMs: options.timeoutMs ?? this.timeoutMs,
      retries: options.retries ?? this.retries,
      signal: options.signal,
      onRetry: options.onRetry,
    });
  }
}

/** Where the receipt of a completion is, or of a stream's last part: also of the `openai` client's. */
export function receiptId(completion: object): string | undefined {
  const { aigen } = completion as { aigen?: { receipt?: unknown } | null };
  const receipt = aigen?.receipt;
  return typeof receipt === "string" ? receipt : undefined;
}

/** Names one request among all. */
function randomKey(): string {
  // Global only since Node.js 19; names need no secrecy.
  const crypto = globalThis.crypto as Crypto | undefined;
  if (crypto !== undefined) return crypto.randomUUID();
  const digits = () => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");
  return digits() + digits() + digits() + digits();
}

function root(url: string): string {
  const base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
  if (!/^https?:\/\/[^/]/.test(base)) {
    throw new SetupError(`${JSON.stringify(url)} is not a URL like ${LOCAL}`);
  }
  return base;
}

function parse(text: string, reader: (text: string) => unknown): unknown {
  try {
    return reader(text);
  } catch (cause) {
    throw unclear(text, cause);
  }
}

function unclear(text: string, cause?: unknown): ConnectionError {
  return new ConnectionError(`the answer is none of this API: ${text.slice(0, QUOTE_CHARS_MAX)}`, { cause });
}
