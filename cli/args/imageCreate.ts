import type { Argv } from "yargs";
import { usage } from "../usage.js";
import { type ProgressChoice, progressOf, progressOptions } from "./progress.js";
import { flag, last, list, type Values } from "./values.js";

/** `tbuild image create` as typed. */
export interface ImageCreateArgs {
  readonly verb: "create";
  readonly sources: readonly string[];
  readonly tag: readonly string[];
  /** Files of descriptors, as JSON. */
  readonly file: readonly string[];
  readonly append: boolean;
  readonly dryRun: boolean;
  readonly annotation: readonly string[];
  readonly platform: readonly string[];
  readonly preferIndex: boolean;
  readonly progress: ProgressChoice;
}

const text = { type: "string", nargs: 1 } as const;
const texts = { ...text, array: true } as const;

/** Options of `tbuild image create`: names and meanings are those of `docker buildx imagetools create`. */
export function createOptions(argv: Argv): Argv {
  return progressOptions(argv)
    .option("tag", { ...texts, alias: "t", describe: "Name of the index, in its registry" })
    .option("file", { ...texts, alias: "f", describe: "Take sources from a file of descriptors" })
    .option("append", { type: "boolean", describe: "Add to what the name has already" })
    .option("annotation", { ...texts, describe: "[index:|manifest-descriptor[linux/arm64]:]KEY=VALUE" })
    .option("platform", { ...texts, describe: "Only these platforms of the sources" })
    .option("prefer-index", { type: "boolean", default: true, describe: "Put an index around a manifest that is the only source" })
    .option("dry-run", { type: "boolean", describe: "Print the index and write nothing" });
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readCreate(values: Values, sources: readonly string[]): ImageCreateArgs {
  const [tag, file, dryRun, append] = [list(values, "tag"), list(values, "file"), flag(values, "dry-run"), flag(values, "append")];
  if (sources.length + file.length === 0) throw usage('"tbuild image create" needs a source', "Write tbuild image create -t NAME SOURCE…");
  if (tag.length === 0 && (append || !dryRun)) throw usage("The index has no name", append ? "--append needs -t NAME" : "Give it with -t NAME, or print it with --dry-run");
  return {
    verb: "create",
    sources,
    tag,
    file,
    append,
    dryRun,
    annotation: list(values, "annotation"),
    platform: list(values, "platform").flatMap((value) => value.split(",")).filter((value) => value !== ""),
    preferIndex: last(values, "prefer-index") !== "false",
    progress: progressOf(values),
  };
}
