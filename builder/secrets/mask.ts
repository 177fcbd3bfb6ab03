/** Replaces secret values in a stream of output. */
export interface Masker {
  /** The part of all output so far that can be passed on: what could be the start of a value is kept back. */
  push(chunk: Uint8Array): Buffer;
  /** What was kept back, once nothing more will come. */
  end(): Buffer;
}

const MASK = Buffer.from("****");
/** Shorter values would hide half of any output. */
const LEAST = 4;
/** Shorter lines of a value, such as a brace, are no secrets. */
const LEAST_LINE = 8;
/** What is longer is known by its start. */
const LONGEST = 4096;

/**
 * Masks `values` and, of a value with several lines, each line as well; of what overlaps, the earliest and then the longest.
 * Values under 4 bytes stay as they are. All other bytes pass unchanged.
 */
export function createMasker(values: readonly Uint8Array[]): Masker {
  const secrets = patternsOf(values);
  let held: Buffer = Buffer.alloc(0);

  function take(data: Buffer, last: boolean): Buffer {
    const out: Buffer[] = [];
    let at = 0;
    for (;;) {
      const match = firstMatch(data, at, secrets);
      const open = last ? data.length : openStart(data, at, secrets);
      if (match === null || match.start >= open) {
        out.push(data.subarray(at, open));
        held = Buffer.from(data.subarray(open));
        return Buffer.concat(out);
      }
      out.push(data.subarray(at, match.start), MASK);
      at = match.end;
    }
  }

  return {
    push: (chunk) => (secrets.length === 0 ? Buffer.from(chunk) : take(Buffer.concat([held, chunk]), false)),
    end: () => take(held, true),
  };
}

/** Longest first. */
function patternsOf(values: readonly Uint8Array[]): readonly Buffer[] {
  const found = new Map<string, Buffer>();
  const add = (text: Buffer, least: number) => {
    const cut = text.subarray(0, LONGEST);
    if (text.length >= least) found.set(cut.toString("latin1"), cut);
  };
  for (const value of values) {
    const whole = trimNewline(Buffer.from(value));
    add(whole, LEAST);
    const lines = whole.toString("latin1").split(/\r?\n/);
    if (lines.length > 1) for (const line of lines) add(Buffer.from(line.trim(), "latin1"), LEAST_LINE);
  }
  return [...found.values()].sort((a, b) => b.length - a.length);
}

/** Nobody prints the newline that ends a secret's file. */
function trimNewline(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 10 || value[end - 1] === 13)) end--;
  return value.subarray(0, end);
}

function firstMatch(data: Buffer, from: number, secrets: readonly Buffer[]): { start: number; end: number } | null {
  let first: { start: number; end: number } | null = null;
  for (const secret of secrets) {
    const start = data.indexOf(secret, from);
    if (start >= 0 && (first === null || start < first.start)) first = { start, end: start + secret.length };
  }
  return first;
}

/** Where the first possible start of a value is that does not end within `data`; its length when there is none. */
function openStart(data: Buffer, from: number, secrets: readonly Buffer[]): number {
  const longest = secrets[0]?.length ?? 0;
  for (let start = Math.max(from, data.length - longest + 1); start < data.length; start++) {
    const rest = data.length - start;
    if (secrets.some((secret) => secret.length > rest && data.compare(secret, 0, rest, start) === 0)) return start;
  }
  return data.length;
}
