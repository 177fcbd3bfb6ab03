import type { Argv } from "yargs";
import { parseDuration, parseSize } from "../age.js";
import { usage } from "../usage.js";
import { formatOf, type ListFormat } from "./image.js";
import { counted, flag, type GlobalArgs, globals, last, type Values, words } from "./values.js";

/** `tbuild du` as typed. */
export interface DuArgs extends GlobalArgs {
  readonly command: "du";
  readonly format: ListFormat;
}

/** `tbuild prune` as typed. */
export interface PruneArgs extends GlobalArgs {
  readonly command: "prune";
  /** Images without a name go too. */
  readonly all: boolean;
  /** Bytes that may stay. */
  readonly maxUsedBytes: number | undefined;
  /** Milliseconds since their last use for which things stay. */
  readonly keepDurationMs: number | undefined;
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readDuArgs(values: Values): DuArgs {
  counted(words(values, 1), [0, 0], "du");
  return { command: "du", ...globals(values), format: formatOf(values) };
}

/** Options of `tbuild prune`. */
export function pruneOptions(argv: Argv): Argv {
  return argv
    .option("all", { alias: "a", type: "boolean", describe: "Remove images that have lost their name as well" })
    .option("max-used-space", { type: "string", nargs: 1, describe: "Keep at most this much, such as 10GB" })
    .option("keep-duration", { type: "string", nargs: 1, describe: "Keep what was used within this time, such as 48h" });
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readPruneArgs(values: Values): PruneArgs {
  counted(words(values, 1), [0, 0], "prune");
  return {
    command: "prune",
    ...globals(values),
    all: flag(values, "all"),
    maxUsedBytes: limit(values, "max-used-space", parseSize, "a size such as 10GB"),
    keepDurationMs: limit(values, "keep-duration", parseDuration, "a duration such as 48h"),
  };
}

function limit(values: Values, name: string, parse: (text: string) => number | null, form: string): number | undefined {
  const text = last(values, name);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === null) throw usage(`Cannot read --${name} "${text}"`, `Write --${name} with ${form}`);
  return value;
}
