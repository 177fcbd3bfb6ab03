/** Work that waits for its turn. Who has least under way comes first, so that one with much to do leaves room for others. */
export interface FairQueue {
  /**
   * The result of `task`, begun when it is `owner`'s turn; rejects with the signal's reason when that aborts before. Once it has begun,
   * settles only when it has ended.
   */
  run<T>(owner: object, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
}

/** How much may be under way. */
export interface FairLimits {
  readonly total: number;
  /** Of one owner; default all. */
  readonly perOwner?: number | undefined;
}

interface Line {
  running: number;
  /** When it was last served, by count. */
  turn: number;
  readonly waiting: (() => void)[];
}

/** A queue with nothing to do. */
export function fairQueue({ total, perOwner = Infinity }: FairLimits): FairQueue {
  const lines = new Map<object, Line>();
  let running = 0;
  let turns = 0;

  function serve(): void {
    while (running < total) {
      const line = nextLine(lines.values(), perOwner);
      if (line === null) return;
      line.turn = ++turns;
      line.running++;
      running++;
      line.waiting.shift()!();
    }
  }
  function leave(owner: object, line: Line): void {
    if (line.running === 0 && line.waiting.length === 0) lines.delete(owner);
  }
  function turnOf(owner: object, signal: AbortSignal): Promise<Line> {
    const line = lines.get(owner) ?? { running: 0, turn: 0, waiting: [] };
    lines.set(owner, line);
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener("abort", giveUp);
        resolve(line);
      };
      const giveUp = () => {
        line.waiting.splice(line.waiting.indexOf(begin), 1);
        leave(owner, line);
        reject(signal.reason);
      };
      line.waiting.push(begin);
      signal.addEventListener("abort", giveUp, { once: true });
      serve();
    });
  }
  return {
    async run(owner, signal, task) {
      signal.throwIfAborted();
      const line = await turnOf(owner, signal);
      try {
        return await task();
      } finally {
        line.running--;
        running--;
        leave(owner, line);
        serve();
      }
    },
  };
}

function nextLine(lines: Iterable<Line>, perOwner: number): Line | null {
  let next: Line | null = null;
  for (const line of lines) {
    if (line.waiting.length === 0 || line.running >= perOwner) continue;
    if (next === null || line.running < next.running || (line.running === next.running && line.turn < next.turn)) next = line;
  }
  return next;
}
