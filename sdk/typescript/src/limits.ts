/** What an answer and a call are bounded by, where nothing narrower is said. */

/** Items of a list. */
export const ITEMS_MAX = 32;

/** Entries of a record. */
export const ENTRIES_MAX = 16;

/** Characters of a text. */
export const LENGTH_MAX = 1_000;

/** Numbers with a fraction; within `Number.MAX_SAFE_INTEGER`, so that whole ones keep every digit. */
export const NUMBER_MAX = 1e15;

/** How often a type may contain itself; less where that gives more than `NODES_MAX` nodes. */
export const DEPTH_MAX = 5;

/** Nodes of a schema with every reference written out. */
export const NODES_MAX = 5_000;

/** How often a model is asked again after an answer that was not accepted. */
export const RETRIES = 2;

/** How often a request that did not arrive is sent again. */
export const SENDS_AGAIN = 3;

/** Milliseconds before the first of them; twice as long before each other, half of it by chance. */
export const PAUSE_MS = 200;

/** Milliseconds that a server's `Retry-After` is followed for. */
export const RETRY_AFTER_MS_MAX = 60_000;

/** Milliseconds that one attempt may take, answer included. */
export const TIMEOUT_MS = 600_000;

/** Output tokens where the function says nothing. */
export const TOKENS = 1_024;

/** Calls of a map at once. */
export const AT_ONCE = 8;

/** Characters quoted from what was not understood. */
export const QUOTE_CHARS_MAX = 200;
