/** Money: whole nano-AIGEN as `bigint`, never a float. */

const NANO_PER_AIGEN = 1_000_000_000n;
const SCALE_DIGITS = 9;

/** AIGEN as text with at least two decimals, as every reply says it: `1_500_000_000n` is `"1.50"`. */
export function formatAmount(nano: bigint): string {
  if (nano < 0n) return `-${formatAmount(-nano)}`;
  const fraction = (nano % NANO_PER_AIGEN).toString().padStart(SCALE_DIGITS, "0");
  const significant = fraction.replace(/0+$/, "").padEnd(2, "0");
  return `${nano / NANO_PER_AIGEN}.${significant}`;
}

/** Nano-AIGEN of a text like `"2"` or `"0.25"`: digits with at most one point and nine decimals. */
export function parseAmount(aigen: string): bigint {
  const parts = /^(\d+)(?:\.(\d{1,9}))?$/.exec(aigen);
  if (parts === null) {
    throw new RangeError(
      `${JSON.stringify(aigen)} is no amount\nhint: an amount is digits with at most one point and nine decimals, like "2" or "0.25"`,
    );
  }
  const [, whole = "0", fraction = ""] = parts;
  return BigInt(whole) * NANO_PER_AIGEN + BigInt(fraction.padEnd(SCALE_DIGITS, "0"));
}
