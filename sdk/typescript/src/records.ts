/**
 * What the API answers, under its own names. Every field that ends in `_nano` is a `bigint` of
 * nano-AIGEN; its neighbour without `_nano` is the same in AIGEN, for people. Times are `bigint`s
 * of nanoseconds since the Unix epoch.
 */

/** `GET /v1/aigen/account`. */
export interface Account {
  readonly address: string;
  /** What it can spend now: posted less held. */
  readonly available_nano: bigint;
  readonly available: string;
  /** What is reserved for running calls. */
  readonly held_nano: bigint;
  readonly held: string;
  /** What it owns for good. */
  readonly posted_nano: bigint;
  readonly posted: string;
}

/** Tokens, each counted once, by what it is charged as. */
export interface TokenUsage {
  readonly prompt_tokens: number;
  readonly cached_prompt_tokens: number;
  readonly sampled_tokens: number;
  readonly forced_tokens: number;
  readonly discarded_tokens: number;
}

/** One priced line. */
export interface ChargeLine {
  readonly kind: string;
  readonly quantity: number;
  /** Per 1,000,000 tokens; per request, row, hit or download. */
  readonly unit_price_nano: bigint;
  readonly unit_price: string;
  /** `quantity` at that price, rounded up once. */
  readonly amount_nano: bigint;
  readonly amount: string;
}

/** One payee's part. */
export interface Share {
  readonly to: string;
  /** `provider`, `controller`, `validators`, `protocol` or `app`. */
  readonly role: string;
  readonly amount_nano: bigint;
  readonly amount: string;
}

/** What was read of a dataset, by a call or on its own. */
export interface DatasetRead {
  readonly dataset: string;
  readonly purpose: "read" | "completion" | "controller" | "download";
  /** Which columns; all where empty. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** How many of them a search found. */
  readonly hits: number;
  /** Which rows, by their numbers from 0. */
  readonly ranges: readonly { readonly first: number; readonly count: number }[];
  readonly fee_nano: bigint;
  readonly fee: string;
  readonly provider: string;
  /** What the provider was paid of it. */
  readonly earned_nano: bigint;
  readonly earned: string;
}

/** `GET /v1/aigen/receipts/{id}`: of a call, or of rows that were read outside of calls, which have a `kind`. */
export type AnyReceipt = Receipt | ReadReceipt;

/** What every receipt says of money. */
export interface Charged {
  readonly id: string;
  /** How it became money; their amounts add up to `total_nano`. */
  readonly lines: readonly ChargeLine[];
  readonly total_nano: bigint;
  readonly total: string;
  /** What the app added for itself; the payer paid both. */
  readonly margin_nano: bigint;
  readonly margin: string;
  readonly payer: string;
  readonly spender: string;
  readonly budgets: readonly string[];
  /** What was given back since. */
  readonly corrections: readonly unknown[];
  /** Who received it; the amounts add up to `total_nano` and `margin_nano`. */
  readonly split: readonly Share[];
  /** When the call began, or the read was paid. */
  readonly created: bigint;
  readonly journal_seq: number;
}

/** What a read of a dataset outside of calls came to. */
export interface ReadReceipt extends Charged {
  readonly kind: "dataset_read";
  readonly read: DatasetRead;
}

/** What one call used, what it cost and who was paid. */
export interface Receipt extends Charged {
  /** Of a call there is none. */
  readonly kind?: undefined;
  readonly model: string;
  readonly model_digest: string;
  readonly controller: string | null;
  readonly controller_digest: string | null;
  readonly usage: TokenUsage;
  /** The rows of datasets that went into it. */
  readonly reads?: readonly DatasetRead[];
  /** How the call ended, in one word. */
  readonly finish: string;
  readonly steering: Readonly<Record<string, unknown>>;
}

/** A row of `GET /v1/aigen/usage`; a field that was not asked for by `by` is absent. */
export interface Usage {
  /** `dataset_read` of rows that were read outside of calls; absent of calls. */
  readonly kind?: "dataset_read";
  readonly account: string;
  /** The UTC day on which the calls ended or the reads were paid, like `2026-01-31`. */
  readonly day?: string;
  readonly spender?: string;
  readonly model?: string;
  readonly controller?: string;
  /** The dataset version that was read outside of calls. */
  readonly dataset?: string;
  readonly calls: number;
  readonly reads: number;
  readonly rows: number;
  readonly usage: TokenUsage;
  readonly charged_nano: bigint;
  readonly charged: string;
  readonly given_back_nano: bigint;
  readonly given_back: string;
}

/** Which usage. */
export interface UsageQuery {
  /** Who paid; the key's own account otherwise. */
  readonly account?: string;
  /** The first day, like `2026-01-31`. */
  readonly from?: string;
  /** The last day, which counts. */
  readonly to?: string;
  /** What to tell apart. */
  readonly by?: readonly ("day" | "spender" | "model" | "controller" | "dataset")[];
}

/** A published controller version. */
export interface Controller {
  /** Owner, name and version, like `ada/quiz@1.2.0`. */
  readonly reference: string;
  readonly digest: string;
  readonly description: string;
  readonly published_at: bigint;
  /** Parts per million; `null` before its first settlement. */
  readonly score: number | null;
  readonly standing: "current" | "deprecated" | "yanked";
  readonly reason?: string;
  readonly tags?: readonly string[];
}

/** A model of `GET /v1/models`. */
export interface Model {
  readonly id: string;
  readonly owned_by: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  /** Absent on servers other than AiGen. */
  readonly aigen?: {
    readonly digest: string;
    /** Most tokens of prompt and answer together. */
    readonly context_tokens: number;
    /** How closely it can be steered: `token`, `schema` or `text`. */
    readonly control: string;
    readonly engine: string;
    readonly price: {
      readonly input_per_million_nano: bigint;
      readonly cached_input_per_million_nano: bigint;
      readonly output_per_million_nano: bigint;
      readonly per_request_nano: bigint;
    };
  };
}

/** The `aigen` object of a completion: what the call cost and who made the answer. */
export interface Reply {
  /** Where the receipt is. */
  readonly receipt: string;
  /** What was captured, in AIGEN; `parseAmount` makes it exact. */
  readonly cost: string;
  /** `budget` where the money, or `max_cost`, ended the answer. */
  readonly stop?: "budget" | null;
  readonly controller?: string;
  readonly model_digest?: string;
  /** Whether the grammar was satisfied; absent without one. */
  readonly grammar_complete?: boolean;
  /** `true` where tokens or money were about to end: the value is whole, and would have gone on. */
  readonly closed_early?: boolean;
  /** Who held the answer to its form: the decoder, or nobody before it was read. */
  readonly guarantee?: "decoder" | "retry";
  readonly outcome?: unknown;
  readonly results?: Readonly<Record<string, unknown>>;
}

/** A request of `POST /v1/chat/completions`; what else it may hold is OpenAI's. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly aigen?: { readonly controller?: string; readonly max_cost?: string };
  readonly [field: string]: unknown;
}

/** A completion. */
export interface ChatResponse {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: { readonly role: string; readonly content: string | null };
  }[];
  readonly aigen?: Reply;
}
