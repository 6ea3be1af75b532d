/** JSON whose integers and amounts keep every digit. */

const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d+$/;

/** Marks integers in text. By chance, so that nobody can publish a text that begins like this. */
const MARK = `${Math.random()}:`;

/**
 * Reads a record of the API: fields that end in `_nano` become `bigint`, and so do times, which
 * are nanoseconds since the Unix epoch and larger than a number holds.
 */
export function parseRecord(text: string): unknown {
  const marked = text.replace(TEXT_OR_NUMBER, (token) => (isLarge(token) ? JSON.stringify(MARK + token) : token));
  return JSON.parse(marked, (key: string, value: unknown) => {
    if (typeof value !== "string") return TIMES.has(key) && Number.isInteger(value) ? BigInt(value as number) : value;
    if (value.startsWith(MARK)) return BigInt(value.slice(MARK.length));
    return key.endsWith("_nano") && INTEGER.test(value) ? BigInt(value) : value;
  });
}

const TIMES = new Set(["created_at", "published_at", "expires_at", "at"]);

function isLarge(token: string): boolean {
  return INTEGER.test(token) && !Number.isSafeInteger(Number(token));
}
