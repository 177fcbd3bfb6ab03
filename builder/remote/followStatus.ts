import { setTimeout as delay } from "node:timers/promises";
import { controlService } from "../api/control.js";
import type { Report } from "../internalStep.js";
import { logTail, type LogTail } from "../ops/logTail.js";
import type { Connection } from "./connection.js";
import { statusReader } from "./statusEvents.js";

/** A build on a builder that somebody listens to. */
export interface FollowedStatus {
  /** Settles when the builder has told all, or so many milliseconds after. */
  ended(atMostMs: number): Promise<void>;
  /** Names of the steps that run. */
  running(): readonly string[];
  /** The last lines that a step printed. */
  tailOf(vertex: string): readonly string[];
  stop(): void;
}

/** Reports what a builder tells of the build `ref`, which may be about to begin. */
export function followStatus(connection: Connection, ref: string, fileOf: (name: string) => string, report: Report): FollowedStatus {
  const reader = statusReader(fileOf);
  const tails = new Map<string, LogTail>();
  const stop = new AbortController();

  async function follow(): Promise<void> {
    for await (const message of connection.listen(controlService, "Status", { ref }, { signal: stop.signal })) {
      for (const { vertex, msg } of message.logs) {
        const tail = tails.get(vertex) ?? logTail();
        tails.set(vertex, tail);
        tail.push(msg);
      }
      for (const event of reader.read(message)) report(event);
    }
  }
  // What goes wrong with the build is told by the build.
  const following = follow().catch(() => {});
  return {
    async ended(atMostMs) {
      const late = new AbortController();
      await Promise.race([following, delay(atMostMs, null, { signal: late.signal }).catch(() => {})]);
      late.abort();
    },
    running: () => reader.running(),
    tailOf: (vertex) => tails.get(vertex)?.lines() ?? [],
    stop: () => stop.abort(),
  };
}
