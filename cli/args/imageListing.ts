import type { Argv } from "yargs";
import { type FilterKey, type ImageFilter, parseImageFilter } from "../flags/imageFilter.js";
import { unknownWord } from "../usage.js";
import { counted, flag, last, list, type Values } from "./values.js";

/** Form of what a command on images prints. */
export type ImageFormat = "table" | "json" | { readonly template: string };

/** `tbuild image ls` as typed. */
export interface ImageListArgs {
  readonly verb: "ls";
  /** Patterns for repositories or full names; all images when empty. */
  readonly names: readonly string[];
  readonly filter: ImageFilter;
  readonly quiet: boolean;
  readonly digests: boolean;
  readonly truncate: boolean;
  readonly format: ImageFormat;
}

/** `tbuild image history` as typed. */
export interface ImageHistoryArgs {
  readonly verb: "history";
  readonly name: string;
  readonly truncate: boolean;
  readonly format: ImageFormat;
}

/** `tbuild image prune` as typed. */
export interface ImagePruneArgs {
  readonly verb: "prune";
  /** Images with a name go too. */
  readonly all: boolean;
  readonly filter: ImageFilter;
  /** Nobody is asked. */
  readonly force: boolean;
}

const text = { type: "string", nargs: 1 } as const;
const LIST_KEYS: readonly FilterKey[] = ["dangling", "reference", "label", "before", "since", "until"];
const PRUNE_KEYS: readonly FilterKey[] = ["until", "label", "label!", "dangling"];

/** Options of `tbuild image ls`. */
export function listOptions(argv: Argv): Argv {
  return templateOption(argv, "table, json, or a Go template such as '{{.Repository}}:{{.Tag}}'")
    .option("filter", { ...text, alias: "f", array: true, describe: `Only images with KEY=VALUE: ${LIST_KEYS.join(", ")}` })
    .option("quiet", { alias: "q", type: "boolean", describe: "IDs only" })
    .option("digests", { type: "boolean", describe: "Show digests of manifests" })
    .option("no-trunc", { type: "boolean", describe: "Show whole IDs" })
    // There are no intermediate images to hide.
    .option("all", { alias: "a", type: "boolean", hidden: true });
}

/** The typed form of what yargs read. @throws {TbuildError} usage, invalid_argument */
export function readList(values: Values, names: readonly string[]): ImageListArgs {
  return {
    verb: "ls",
    names,
    filter: parseImageFilter(list(values, "filter"), LIST_KEYS, Date.now()),
    quiet: flag(values, "quiet"),
    digests: flag(values, "digests"),
    truncate: !flag(values, "no-trunc"),
    format: imageFormatOf(values),
  };
}

/** Options of `tbuild image history`. */
export function historyOptions(argv: Argv): Argv {
  return templateOption(argv, "table, json, or a Go template such as '{{.CreatedBy}}'")
    .option("no-trunc", { type: "boolean", describe: "Show whole commands and IDs" });
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readHistory(values: Values, given: readonly string[]): ImageHistoryArgs {
  const [name = ""] = counted(given, [1, 1], "image history NAME");
  return { verb: "history", name, truncate: !flag(values, "no-trunc"), format: imageFormatOf(values) };
}

/** Options of `tbuild image prune`. */
export function pruneOptions(argv: Argv): Argv {
  return argv
    .option("all", { alias: "a", type: "boolean", describe: "Remove images with a name as well" })
    .option("filter", { ...text, array: true, describe: "Only images with until=24h, label=KEY[=VALUE] or label!=KEY[=VALUE]" })
    .option("force", { alias: "f", type: "boolean", describe: "Do not ask" });
}

/** The typed form of what yargs read; `dangling=false` is --all. @throws {TbuildError} usage */
export function readPrune(values: Values, given: readonly string[]): ImagePruneArgs {
  counted(given, [0, 0], "image prune");
  const filter = parseImageFilter(list(values, "filter"), PRUNE_KEYS, Date.now());
  return { verb: "prune", all: flag(values, "all") || filter.dangling === false, filter: { ...filter, dangling: null }, force: flag(values, "force") };
}

function templateOption(argv: Argv, describe: string): Argv {
  return argv.option("format", { ...text, default: "table", describe });
}

/** `--format` of a command that takes templates. @throws {TbuildError} usage for a word that is none */
export function imageFormatOf(values: Values): ImageFormat {
  const format = last(values, "format") ?? "table";
  if (format === "table" || format === "json") return format;
  if (!format.includes("{{")) throw unknownWord("format", format, ["table", "json", "a Go template"]);
  return { template: format };
}
