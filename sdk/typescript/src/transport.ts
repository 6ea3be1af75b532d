/** Requests that are sent until they arrive. */

import { ApiError, ConnectionError, type ErrorFields, type ReplyFields } from "./errors.js";
import { PAUSE_MS, QUOTE_CHARS_MAX, RETRY_AFTER_MS_MAX } from "./limits.js";

/** How one request is sent. */
export interface RequestOptions {
  /** Names the request: two with the same key are one, answered alike and charged once. */
  readonly idempotencyKey?: string;
  /** Ends it; what is thrown then is the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds that one attempt may take, answer included; 600,000 otherwise. */
  readonly timeoutMs?: number;
  /** How often it is sent again when it does not arrive; 3 otherwise. */
  readonly retries?: number;
  /** Told before each time that it is sent again. */
  readonly onRetry?: (error: ApiError | ConnectionError) => void;
}

/** What is sent, and for how long. */
export interface Sending {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  readonly init: { method: string; headers: Record<string, string>; body?: string };
  readonly timeoutMs: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  readonly onRetry: ((error: ApiError | ConnectionError) => void) | undefined;
}

/**
 * The text of the answer. The request is sent again, as it is, while the failure may pass and
 * nobody has seen a byte of an answer.
 */
export async function send(sending: Sending): Promise<string> {
  for (let again = 0; ; again += 1) {
    try {
      return await attempt(sending);
    } catch (error) {
      const pause = again < sending.retries ? pauseMs(error, again) : null;
      if (pause === null) throw error;
      sending.onRetry?.(error as ApiError | ConnectionError);
      await wait(pause, sending.signal);
    }
  }
}

/** Milliseconds until the same request may arrive; `null` if it never will. */
function pauseMs(error: unknown, again: number): number | null {
  // Half of it by chance, so that clients that failed together do not come back together.
  const usual = PAUSE_MS * 2 ** again * (0.5 + Math.random() / 2);
  if (error instanceof ConnectionError) return usual;
  if (!(error instanceof ApiError)) return null;
  const passes = [408, 429, 502, 503, 504].includes(error.status) || error.code === "idempotency_in_progress";
  if (!(error.shouldRetry ?? passes)) return null;
  return Math.max(usual, Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
}

async function attempt(sending: Sending): Promise<string> {
  const { signal, timeoutMs } = sending;
  signal?.throwIfAborted();
  // `AbortSignal.any` came with Node.js 20.
  const ended = new AbortController();
  const late = setTimeout(() => ended.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const stop = () => ended.abort(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await sending.fetch(sending.url, { ...sending.init, signal: ended.signal });
    const text = await response.text();
    if (!response.ok) throw refusal(response, text);
    return text;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error instanceof ApiError ? error : notReached(sending, error);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", stop);
  }
}

function notReached({ url, init }: Sending, cause: unknown): ConnectionError {
  // What `fetch` itself says is "fetch failed"; the reason lies below.
  const below = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = below instanceof Error ? below.message || below.name : String(below);
  return new ConnectionError(`${init.method} ${url}: ${why}\nhint: start a node with \`aigen dev\`, or name one: AIGEN_URL`, { cause });
}

/** The error that a reply carries, or what it says if it carries none. */
function refusal(response: Response, text: string): ApiError {
  const reply = replyFields(response);
  const fields = envelope(text);
  if (fields === null) return new ApiError(`HTTP ${reply.status}: ${text.slice(0, QUOTE_CHARS_MAX)}`, reply);
  return new ApiError(withHint(fields), reply, fields);
}

function replyFields({ status, headers }: Response): ReplyFields {
  const advice = headers.get("x-should-retry");
  const seconds = Number.parseFloat(headers.get("retry-after") ?? "");
  return {
    status,
    requestId: headers.get("x-request-id"),
    shouldRetry: advice === null ? null : advice === "true",
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null,
  };
}

type Envelope = Partial<ErrorFields> & { message: string };

function envelope(text: string): Envelope | null {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<Envelope> };
    return typeof error?.message === "string" ? (error as Envelope) : null;
  } catch {
    return null;
  }
}

/** The server ends its messages with the way out; other servers may not. */
function withHint({ message, hint }: Envelope): string {
  return !hint || message.endsWith(hint) ? message : `${message}\nhint: ${hint}`;
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
