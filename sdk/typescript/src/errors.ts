/** What goes wrong between this program and a server. */

/** Any error of this package. Its message ends with a way out where there is one. */
export class AiGenError extends Error {
  override name = "AiGenError";
}

/** There is nothing to call: no URL, or no model. */
export class SetupError extends AiGenError {
  override name = "SetupError";
}

/** The server was not reached, broke off, or took too long; `cause` says more. */
export class ConnectionError extends AiGenError {
  override name = "ConnectionError";
}

/** What an error reply carries. */
export interface ErrorFields {
  /** The family: `invalid_request_error`, `insufficient_quota`, … */
  readonly type: string;
  /** A stable name of the reason, like `insufficient_funds`. */
  readonly code: string | null;
  /** The field of the request at fault, like `messages[1].content`. */
  readonly param: string | null;
  /** What to do next. */
  readonly hint: string | null;
  /** What programs may want to read, like `reason`, or `receipt` where something was charged. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a refusal says beside its body. */
export interface ReplyFields {
  /** HTTP's. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | null;
  /** Whether the same request may succeed later, where the server says so. */
  readonly shouldRetry: boolean | null;
  /** After how many milliseconds, where it says so. */
  readonly retryAfterMs: number | null;
}

/** The server refused, and said why. */
export class ApiError extends AiGenError implements ErrorFields, ReplyFields {
  override name = "ApiError";
  readonly status: number;
  readonly requestId: string | null;
  readonly shouldRetry: boolean | null;
  readonly retryAfterMs: number | null;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly hint: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(message: string, reply: ReplyFields, fields: Partial<ErrorFields> = {}) {
    super(message);
    this.status = reply.status;
    this.requestId = reply.requestId;
    this.shouldRetry = reply.shouldRetry;
    this.retryAfterMs = reply.retryAfterMs;
    this.type = fields.type ?? "unknown_error";
    this.code = fields.code ?? null;
    this.param = fields.param ?? null;
    this.hint = fields.hint ?? null;
    this.metadata = fields.metadata ?? {};
  }

  /** The ledger's own word, like `budget_exhausted`, where money was refused. */
  get reason(): string | null {
    const { reason } = this.metadata as { reason?: unknown };
    return typeof reason === "string" ? reason : null;
  }
}
