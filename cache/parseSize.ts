const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Bytes of "10GB", "512mb" or "1000"; "KiB" and its like are powers of 1024. Null for anything else. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
  if (match === null) return null;
  const [, count, unit = "", binary] = match;
  const power = ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
  const factor = binary === "" ? SIZE_UNITS[unit.toLowerCase()]! : 1024 ** power;
  return Math.round(Number(count) * factor);
}
