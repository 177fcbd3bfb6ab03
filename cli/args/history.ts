import type { Argv } from "yargs";
import { usage } from "../usage.js";
import { builderOptions } from "./build.js";
import { type ProgressChoice, progressOf, progressOption } from "./progress.js";
import { type BuilderArgs, builderOf, last, list, type Values, words } from "./values.js";

/** `tbuild history` as typed: the builds of a builder elsewhere. */
export interface HistoryArgs extends BuilderArgs {
  readonly command: "history";
  readonly verb: HistoryVerb;
  /** Refs or their begins. */
  readonly refs: readonly string[];
  readonly filters: readonly string[];
  readonly format: "table" | "json";
  readonly progress: ProgressChoice;
}

/** What can be done with builds; `tbuild history IMAGE` is about images. */
export const historyVerbs = ["ls", "inspect", "logs", "rm"] as const;

/** See {@link historyVerbs}. */
export type HistoryVerb = (typeof historyVerbs)[number];

/** Options of `tbuild history`. */
export function historyOptions(argv: Argv): Argv {
  return builderOptions(argv)
    .usage("Usage: $0 history ls|inspect|logs|rm [REF]")
    .option("filter", { type: "string", nargs: 1, array: true, describe: "Builds of ls: status==error, startedAt>2h, ref~=…" })
    .option("format", { type: "string", nargs: 1, choices: ["table", "json"], describe: "How ls and inspect print" })
    .option("progress", progressOption);
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readHistoryArgs(values: Values): HistoryArgs {
  const [word = "", ...refs] = words(values, 1);
  const verb = historyVerbs.find((name) => name === word);
  if (verb === undefined) throw usage(`Unknown command "history ${word}"`, `Write tbuild history ${historyVerbs.join("|")}`);
  if (verb === "rm" && refs.length === 0) throw usage('"tbuild history rm" needs more words', "Write tbuild history rm REF…");
  if (verb !== "rm" && refs.length > (verb === "ls" ? 0 : 1)) throw usage(`Unexpected word "${refs.at(-1)}"`, `Write tbuild history ${verb}`);
  const format = last(values, "format") === "json" ? "json" : "table";
  return { command: "history", verb, refs, filters: list(values, "filter"), format, ...builderOf(values), progress: progressOf(values) };
}
