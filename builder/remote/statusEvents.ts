import { type Digest, digestOf, isDigest } from "../../cache/oci/digest.js";
import type { SourceRange } from "../../cache/errors.js";
import type { Progress, Warning } from "../../solver/progress.js";
import type { StatusMessage } from "../api/status.js";

type VertexMessage = StatusMessage["vertexes"][number];
type WarningMessage = StatusMessage["warnings"][number];

/** Turns what a builder tells of its steps into events. */
export interface StatusReader {
  /** What is new in a message. */
  read(message: StatusMessage): readonly Progress[];
  /** Names of the steps that have started and not ended, in the order of their starts. */
  running(): readonly string[];
}

interface Known {
  readonly name: string;
  readonly started: boolean;
  readonly completed: boolean;
}

/** Nothing is known yet. `fileOf` is the name that the user has for a file of the builder's. */
export function statusReader(fileOf: (name: string) => string): StatusReader {
  const vertices = new Map<string, Known>();

  function vertexEvents(message: VertexMessage): readonly Progress[] {
    const { digest, name, inputs, cached, error } = message;
    const vertex = digestFrom(digest);
    const known = vertices.get(digest);
    // A step whose builder runs it again, for another result, starts anew.
    const again = known?.completed === true && message.started !== null && message.completed === null;
    const started = message.started !== null && (known?.started !== true || again);
    const completed = message.completed !== null && known?.completed !== true;
    vertices.set(digest, { name, started: message.started !== null, completed: message.completed !== null });
    const at = message.started ?? message.completed ?? Date.now();
    return [
      ...(known?.name === name ? [] : [{ type: "vertex", vertex, name, inputs: inputs.map(digestFrom), at } as const]),
      ...(started ? [{ type: "started", vertex, at: message.started ?? at } as const] : []),
      ...(completed ? [{ type: "completed", vertex, at: message.completed ?? at, cached, error: error === "" ? null : error } as const] : []),
    ];
  }
  return {
    read({ vertexes, statuses, logs, warnings }) {
      // A step that came to its end and began again in one message is told by its last state.
      const events = [...new Map(vertexes.map((vertex) => [vertex.digest, vertex])).values()].flatMap(vertexEvents);
      // What a step says in the message that tells of its end, it said before.
      const ends = events.filter(({ type }) => type === "completed");
      return [
        ...events.filter(({ type }) => type !== "completed"),
        ...statuses.map(({ id, vertex, current, total, started, completed, timestamp }): Progress => {
          const startedAt = started ?? timestamp ?? Date.now();
          return { type: "status", vertex: digestFrom(vertex), status: { id, current, total, startedAt, completedAt: completed } };
        }),
        ...logs.map(({ vertex, timestamp, stream, msg }): Progress => {
          return { type: "log", vertex: digestFrom(vertex), at: timestamp ?? Date.now(), stream: stream === 2 ? 2 : 1, bytes: msg };
        }),
        ...warnings.map((one): Progress => ({ type: "warning", vertex: isDigest(one.vertex) ? one.vertex : null, warning: warningOf(one, fileOf) })),
        ...ends,
      ];
    },
    running: () => [...vertices.values()].filter(({ started, completed }) => started && !completed).map(({ name }) => name),
  };
}

/** What a step is called here: a builder may call it anything. */
export function digestFrom(text: string): Digest {
  return isDigest(text) ? text : digestOf(text);
}

/** `Rule: message (line N)` is BuildKit's way to tell which rule it is. */
function warningOf({ short, detail, url, info, ranges }: WarningMessage, fileOf: (name: string) => string): Warning {
  const text = textOf(short);
  const [, rule, message] = /^([A-Z]\w+): (.*?)(?: \(line \d+\))?$/s.exec(text) ?? [];
  return {
    rule: rule ?? null,
    message: message ?? text,
    detail: detail.map(textOf).join("\n"),
    url: url === "" ? null : url,
    at: info === null ? null : rangeIn(fileOf(info.filename), ranges),
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

/** The wire counts columns from 0. */
export function rangeIn(file: string, [range]: WarningMessage["ranges"]): SourceRange | null {
  const start = range?.start ?? null;
  if (start === null) return null;
  const place = ({ line, character }: { readonly line: number; readonly character: number }) => ({ line, column: character + 1 });
  return { file, start: place(start), end: place(range?.end ?? start) };
}
