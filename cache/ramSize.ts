/**
 * Bytes of "64m", "1.5GiB" or "4096": every unit is a power of 1024, as for memory everywhere in Docker. Null for
 * anything else. Source: docker/go-units RAMInBytes.
 */
export function parseRamSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) return null;
  const power = "kmgtp".indexOf((match[2] ?? "").toLowerCase() || "-") + 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}
