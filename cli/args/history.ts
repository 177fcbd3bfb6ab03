import type { Argv } from "yargs";
import { usage } from "../usage.js";
import { builderOptions } from "./build.js";
import { type ProgressChoice, progressOf, progressOption } from "./progress.js";
import { type BuilderArgs, builderOf, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild history` as typed: the builds of the store, or of a builder elsewhere. */
export interface HistoryArgs extends GlobalArgs, BuilderArgs {
  readonly command: "history";
  readonly verb: HistoryVerb;
  /** Refs or their begins; of import, files. */
  readonly words: readonly string[];
  readonly filters: readonly string[];
  readonly format: "table" | "json";
  /** Of export: the file; undefined is standard output. */
  readonly output: string | undefined;
  /** Of rm and export: every build. */
  readonly all: boolean;
  readonly progress: ProgressChoice;
}

/** What can be done with builds; `tbuild history IMAGE` is about images. */
export const historyVerbs = ["ls", "inspect", "logs", "rm", "cancel", "export", "import"] as const;

/** See {@link historyVerbs}. */
export type HistoryVerb = (typeof historyVerbs)[number];

/** How many words each takes, and how that is written. */
const forms: { readonly [V in HistoryVerb]: { readonly least: number; readonly most: number; readonly words: string } } = {
  ls: { least: 0, most: 0, words: "" },
  inspect: { least: 0, most: 1, words: " [REF]" },
  logs: { least: 0, most: 1, words: " [REF]" },
  rm: { least: 1, most: Infinity, words: " REF…, or --all" },
  cancel: { least: 1, most: Infinity, words: " REF…" },
  export: { least: 0, most: Infinity, words: " [REF…] -o FILE" },
  import: { least: 1, most: Infinity, words: " FILE…" },
};

/** Options of `tbuild history`. */
export function historyOptions(argv: Argv): Argv {
  const lines = historyVerbs.map((verb) => `  $0 history ${verb}${forms[verb].words}`);
  return builderOptions(argv)
    .usage(`Usage: $0 history COMMAND\n\n${lines.join("\n")}\n\nA REF may be shortened; ^1 is the build before the last one. Without one the last build is meant.`)
    .option("filter", { type: "string", nargs: 1, array: true, describe: "Builds of ls: status=error, startedAt>2h, duration>=1m, ref=…, repository=…" })
    .option("format", { type: "string", nargs: 1, choices: ["table", "json"], describe: "How ls and inspect print" })
    .option("output", { type: "string", nargs: 1, alias: "o", describe: "File that export writes" })
    .option("all", { type: "boolean", describe: "Every build, of rm and export" })
    .option("progress", progressOption);
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readHistoryArgs(values: Values): HistoryArgs {
  const [word = "", ...rest] = words(values, 1);
  const verb = historyVerbs.find((name) => name === word);
  if (verb === undefined) throw usage(word === "" ? '"tbuild history" needs a command' : `Unknown command "history ${word}"`, `Write tbuild history ${historyVerbs.join("|")}`);
  const all = flag(values, "all");
  const { least, most, words: form } = forms[verb];
  if (rest.length < least && !all) throw usage(`"tbuild history ${verb}" needs more words`, `Write tbuild history ${verb}${form}`);
  if (rest.length > (all ? 0 : most)) throw usage(`Unexpected word "${rest.at(-1)}"`, `Write tbuild history ${verb}${all ? " --all" : form}`);
  const format = last(values, "format") === "json" ? "json" : "table";
  const output = last(values, "output");
  return { command: "history", verb, words: rest, filters: list(values, "filter"), format, output, all, ...globals(values), ...builderOf(values), progress: progressOf(values) };
}
