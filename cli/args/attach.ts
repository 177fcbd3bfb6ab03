import type { Argv } from "yargs";
import { builderOptions } from "./build.js";
import { type ProgressChoice, progressOf, progressOptions } from "./progress.js";
import { type BuilderArgs, builderOf, counted, type GlobalArgs, globals, type Values, words } from "./values.js";

/** `tbuild attach` as typed. */
export interface AttachArgs extends GlobalArgs, BuilderArgs {
  readonly command: "attach";
  /** A ref, its begin, "^1", or "" for the last build. */
  readonly ref: string;
  readonly progress: ProgressChoice;
}

/** Options of `tbuild attach`. */
export function attachOptions(argv: Argv): Argv {
  return progressOptions(builderOptions(argv)).usage("Usage: $0 attach [REF]\n\nFollows a build to its end, with its exit status. Ctrl-C leaves it running.");
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readAttachArgs(values: Values): AttachArgs {
  const [ref = ""] = counted(words(values, 1), [0, 1], "attach [REF]");
  return { command: "attach", ...globals(values), ...builderOf(values), ref, progress: progressOf(values) };
}
