/** Whole seconds to nanoseconds; null stays null. */
export function toNs(seconds: number | null): bigint | null {
  return seconds === null ? null : BigInt(Math.trunc(seconds)) * 1_000_000_000n;
}
