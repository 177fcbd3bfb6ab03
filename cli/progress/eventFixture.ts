import { digestOf } from "../../cache/oci/digest.js";
import type { Progress, StatusUpdate } from "../../solver/progress.js";

/** Events about a step, for tests. Times are milliseconds, from 0. */
export function stepEvents(name: string) {
  const vertex = digestOf(name);
  return {
    vertex,
    announced: (inputs: readonly (typeof vertex)[] = []): Progress => ({ type: "vertex", vertex, name, inputs, at: 0 }),
    started: (at: number): Progress => ({ type: "started", vertex, at }),
    log(at: number, text: string, stream: 1 | 2 = 1): Progress {
      return { type: "log", vertex, at, stream, bytes: Buffer.from(text) };
    },
    done: (at: number): Progress => ({ type: "completed", vertex, at, cached: false, error: null }),
    cached: (at: number): Progress => ({ type: "completed", vertex, at, cached: true, error: null }),
    failed: (at: number, error: string): Progress => ({ type: "completed", vertex, at, cached: false, error }),
    status: (status: StatusUpdate): Progress => ({ type: "status", vertex, status }),
  };
}

/** A warning at line 4 of the Dockerfile. */
export const lintWarning: Progress = {
  type: "warning",
  vertex: null,
  warning: {
    rule: "JSONArgsRecommended",
    message: "JSON arguments recommended",
    detail: "Why",
    url: "https://docs.example/rule",
    at: { file: "Dockerfile", start: { line: 4, column: 1 }, end: { line: 4, column: 9 } },
  },
};
