import type { Sample } from "./process.js";

/** The middle one of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Writes one line of the table: a wide first cell, then narrow ones. */
export function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, index) => (index === 0 ? cell.padEnd(64) : cell.padStart(10))).join(" ")}\n`);
}

/** One thing to run again and again, and under what name its times are shown. */
export interface Contender {
  readonly name: string;
  /** Everything of a round but what is measured. */
  prepare?(round: number): void;
  /** The measured part. */
  run(round: number): Sample | Promise<Sample>;
}

/**
 * Lets the contenders run in turn and prints one line for each but the first: its median beside that of the first, and their
 * ratio beside the target.
 */
export async function compare(title: string, rounds: number, contenders: readonly Contender[], targets: Readonly<Record<string, string>>): Promise<void> {
  const samples = contenders.map((): Sample[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      contender.prepare?.(round);
      samples[index]!.push(await contender.run(round));
    }
  }
  const [own, ...others] = contenders.map(({ name }, index) => ({ name, seconds: median(samples[index]!.map(({ seconds }) => seconds)) }));
  if (own === undefined) return;
  if (others.length === 0) print([title, `${own.name} ${own.seconds.toFixed(2)}`]);
  for (const { name, seconds } of others) {
    print([title, `${own.name} ${own.seconds.toFixed(2)}`, `${name} ${seconds.toFixed(2)}`, (own.seconds / seconds).toFixed(2), targets[name] ?? "-"]);
  }
}
