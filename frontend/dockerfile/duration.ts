const unitNanoseconds: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const largest = 2n ** 63n - 1n;
const term = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Nanoseconds of a Go duration ("1m30s", "1.5h", "-2ms", "0"), or null when it is none or does not fit in 64 bits.
 * Fractions of a nanosecond are cut off. Above 2^53 the number is the nearest one that a double can hold.
 * Source: Go, time.ParseDuration.
 */
export function parseDuration(text: string): number | null {
  const sign = /^[+-]/.test(text) ? text[0] : "";
  const body = text.slice(sign === "" ? 0 : 1);
  if (body === "0") return 0;
  const total = sumTerms(body);
  if (total === null) return null;
  return sign === "-" ? -Number(total) : Number(total);
}

function sumTerms(body: string): bigint | null {
  if (body === "") return null;
  let total = 0n;
  term.lastIndex = 0;
  for (let at = 0; at < body.length; at = term.lastIndex) {
    const match = term.exec(body);
    const value = match === null ? null : termNanoseconds(match[1] ?? "", match[2] ?? "", match[3] ?? "");
    if (value === null) return null;
    total += value;
    if (total > largest) return null;
  }
  return total;
}

function termNanoseconds(whole: string, fraction: string, unit: string): bigint | null {
  if (whole === "" && fraction === "") return null;
  const digits = whole.replace(/^0+/, "");
  if (digits.length > 19) return null;
  const factor = unitNanoseconds.get(unit)!;
  const decimals = fraction.slice(0, 18);
  const part = (BigInt(decimals === "" ? "0" : decimals) * factor) / 10n ** BigInt(decimals.length);
  return BigInt(digits === "" ? "0" : digits) * factor + part;
}
