import type { HistoryEntry } from "../../cache/oci/descriptor.js";
import type { DeclaredArg, HistoryList, StageContext, StageState } from "./convertState.js";
import type { Env } from "./scopeEnv.js";

const COMMENT = "buildkit.dockerfile.v0";

/** What an entry of the history stands for: a layer, or only a change of the config. */
export type Effect = "layer" | "config";

/** `s` with one more history entry. */
export function withHistory(s: StageState, c: StageContext, createdBy: string, effect: Effect): StageState {
  const entry: HistoryEntry = {
    ...(c.created === null ? {} : { created: c.created }),
    created_by: createdBy,
    comment: COMMENT,
    ...(effect === "config" ? { empty_layer: true } : {}),
  };
  return { ...s, history: { entry, before: s.history } };
}

/** `first`, then the entries of `list` in the order in which they were added. */
export function joinHistory(first: readonly HistoryEntry[], list: HistoryList): readonly HistoryEntry[] {
  const added: HistoryEntry[] = [];
  for (let item = list; item !== null; item = item.before) added.push(item.entry);
  return [...first, ...added.reverse()];
}

/** The history text of RUN: `|n K=V …` for the ARGs that it saw, then the arguments. */
export function runText(argv: readonly string[], declared: readonly DeclaredArg[], env: Env): string {
  const values = new Map(declared.map(({ key, value }) => [key, env.get(key) ?? value ?? ""]));
  const prefix = values.size === 0 ? [] : [`|${values.size}`, ...[...values].map(([key, value]) => `${key}=${value}`)];
  return `RUN ${[...prefix, ...argv].join(" ")} # buildkit`;
}

/** A list of words as Go's `%q` prints it: `["nginx" "-g"]`. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map(quoted).join(" ")}]`;
}

const ESCAPES: Readonly<Record<number, string>> = { 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 39: "'", 92: "\\" };

/** A number as Go's `%q` prints it: the character of that code point, `'\x04'`, `'A'`. */
export function quotedCharacter(code: number): string {
  const escape = ESCAPES[code];
  if (escape !== undefined) return `'\\${escape}'`;
  if (code < 32 || code === 127) return `'\\x${code.toString(16).padStart(2, "0")}'`;
  return `'${code > 0x10ffff ? "\ufffd" : String.fromCodePoint(code)}'`;
}

/** Nanoseconds as Go prints a duration: "1m30s", "500ms", "0s". */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${(nanoseconds % 60e9) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

function quoted(word: string): string {
  return JSON.stringify(word).replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
}
