import type { Argv } from "yargs";
import { parseSize } from "../../cache/parseSize.js";
import { parseDuration } from "../age.js";
import { usage } from "../usage.js";
import { formatOf, type ListFormat } from "./image.js";
import { counted, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

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
  /** By the policies of the configuration, as the daemon collects. */
  readonly gc: boolean;
  /** "plan" removes nothing. */
  readonly mode: "remove" | "plan";
  /** Tell why each thing stays or goes. */
  readonly explain: boolean;
  readonly filters: readonly string[];
  /** Bytes that may stay. */
  readonly maxUsedBytes: number | undefined;
  readonly reservedBytes: number | undefined;
  readonly minFreeBytes: number | undefined;
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
    .option("gc", { type: "boolean", describe: "Go by the policies of the configuration, as the daemon does" })
    .option("dry-run", { type: "boolean", describe: "Remove nothing" })
    .option("explain", { type: "boolean", describe: "Tell of everything why it stays or goes" })
    .option("filter", { type: "string", array: true, nargs: 1, describe: "Only such things: type==exec.cachemount, description~=PATTERN, until=48h" })
    .option("reserved-space", { type: "string", nargs: 1, describe: "Leave this much in any case, such as 5GB" })
    .option("min-free-space", { type: "string", nargs: 1, describe: "Remove until this much of the disk is free, such as 20GB" })
    .option("max-used-space", { type: "string", nargs: 1, describe: "Keep at most this much, such as 10GB" })
    .option("keep-duration", { type: "string", nargs: 1, describe: "Keep what was used within this time, such as 48h" });
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readPruneArgs(values: Values): PruneArgs {
  counted(words(values, 1), [0, 0], "prune");
  const until = list(values, "filter").flatMap((filter) => /^until=(.*)$/.exec(filter)?.[1] ?? []).at(-1);
  const gc = flag(values, "gc");
  const limits = ["filter", "reserved-space", "min-free-space", "max-used-space", "keep-duration"];
  if (gc && limits.some((name) => list(values, name).length > 0)) throw usage("Cannot use --gc with limits of its own", "The configuration has them");
  return {
    command: "prune",
    ...globals(values),
    gc,
    mode: flag(values, "dry-run") ? "plan" : "remove",
    explain: flag(values, "explain"),
    filters: list(values, "filter").filter((filter) => !filter.startsWith("until=")),
    reservedBytes: limit(values, "reserved-space", parseSize, "a size such as 10GB"),
    minFreeBytes: limit(values, "min-free-space", parseSize, "a size such as 10GB"),
    all: flag(values, "all"),
    maxUsedBytes: limit(values, "max-used-space", parseSize, "a size such as 10GB"),
    keepDurationMs: until === undefined ? limit(values, "keep-duration", parseDuration, "a duration such as 48h") : duration(until),
  };
}

function limit(values: Values, name: string, parse: (text: string) => number | null, form: string): number | undefined {
  const text = last(values, name);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === null) throw usage(`Cannot read --${name} "${text}"`, `Write --${name} with ${form}`);
  return value;
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value === null) throw usage(`Cannot read --filter "until=${text}"`, "Write until= with a duration such as 48h");
  return value;
}
