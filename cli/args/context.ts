import type { Argv } from "yargs";
import { unknownWord, usage } from "../usage.js";
import { formatOf, formatOption, type ListFormat } from "./image.js";
import { counted, flag, last, list, type Values, words } from "./values.js";

/** `tbuild context ls` as typed. */
export interface ContextArgs {
  readonly command: "context";
  readonly context: string;
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly buildArg: readonly string[];
  readonly platform: string | undefined;
  /** What a build does not read is shown as well. */
  readonly all: boolean;
  /** So is what decides about each. */
  readonly why: boolean;
  /** Paths only. */
  readonly quiet: boolean;
  readonly format: ListFormat;
}

/** Defines the commands below `tbuild context`. */
export function contextCommands(argv: Argv, found: (args: ContextArgs) => void): Argv {
  return argv
    .usage("Usage: $0 context COMMAND")
    .command(["ls", "list"], "List the files that a build reads: ls PATH", listOptions, (values) => found(readList(values)))
    .command("*", false, {}, (values) => {
      const [verb] = words(values, 1);
      throw verb === undefined ? usage("Which context command?", "Write tbuild context ls PATH") : unknownWord("context command", verb, ["ls"]);
    });
}

function listOptions(argv: Argv): Argv {
  const text = { type: "string", nargs: 1 } as const;
  return formatOption(argv)
    .usage("Usage: $0 context ls [OPTIONS] PATH")
    .option("file", { ...text, alias: "f", describe: "Path of the Dockerfile (default PATH/Dockerfile)" })
    .option("target", { ...text, describe: "Stage to build" })
    .option("build-arg", { ...text, array: true, describe: "Value of an ARG: NAME=VALUE" })
    .option("platform", { ...text, describe: "Platform of the image, such as linux/amd64" })
    .option("all", { alias: "a", type: "boolean", describe: "Show what is left out as well" })
    .option("why", { type: "boolean", describe: "Show everything, with the rule or instruction that decides" })
    .option("quiet", { alias: "q", type: "boolean", describe: "Paths only" });
}

function readList(values: Values): ContextArgs {
  const [context = ""] = counted(words(values, 2), [1, 1], "context ls PATH");
  return {
    command: "context",
    context,
    file: last(values, "file"),
    target: last(values, "target"),
    buildArg: list(values, "build-arg"),
    platform: last(values, "platform"),
    all: flag(values, "all"),
    why: flag(values, "why"),
    quiet: flag(values, "quiet"),
    format: formatOf(values),
  };
}
