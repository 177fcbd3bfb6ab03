import type { Argv } from "yargs";
import { unknownWord, usage } from "../usage.js";
import { formatOf, formatOption, type ListFormat } from "./image.js";
import { type ProgressChoice, progressOf, progressOptions } from "./progress.js";
import { counted, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild lock VERB` as typed. */
export type LockArgs = GlobalArgs & { readonly command: "lock"; readonly lockfile: string | undefined } & LockVerb;

type LockVerb =
  | { readonly verb: "ls"; readonly format: ListFormat }
  | { readonly verb: "rm"; readonly names: readonly string[] }
  | LockUpdateArgs;

/** `tbuild lock update` as typed. */
export interface LockUpdateArgs {
  readonly verb: "update";
  /** Empty for all. */
  readonly names: readonly string[];
  /** "plan" writes nothing. */
  readonly mode: "write" | "plan";
  readonly format: ListFormat;
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly progress: ProgressChoice;
}

/** What a build does with its lock, as typed. */
export interface BuildLockArgs {
  /** "record" adds to tbuild.lock, "require" reads nothing that it does not name. */
  readonly lock: "record" | "require" | undefined;
  readonly lockfile: string | undefined;
}

const VERBS = ["ls", "update", "rm"];
const text = { type: "string", nargs: 1 } as const;

/** The options of a build that are about its lock. */
export function buildLockOptions(argv: Argv): Argv {
  return argv
    .option("lock", { type: "boolean", describe: "Build what tbuild.lock names, and add to it what it does not name yet" })
    .option("locked", { type: "boolean", describe: "Build only what tbuild.lock names" })
    .option("lockfile", { ...text, describe: "Path of tbuild.lock (default beside the Dockerfile)" });
}

/** See {@link BuildLockArgs}. @throws {TbuildError} usage */
export function buildLockOf(values: Values): BuildLockArgs {
  const [records, requires, lockfile] = [flag(values, "lock"), flag(values, "locked"), last(values, "lockfile")];
  if (records && requires) throw usage("Cannot use --lock and --locked together", "--lock adds to the file, --locked refuses what is not in it");
  if (lockfile !== undefined && !records && !requires) throw usage("--lockfile names a file for --lock or --locked", "Add one of them");
  if ((records || requires) && (flag(values, "check") || last(values, "call") !== undefined)) {
    throw usage(`Cannot use ${records ? "--lock" : "--locked"} with --${flag(values, "check") ? "check" : "call"}`, "Nothing is read then: leave it away");
  }
  return { lock: records ? "record" : requires ? "require" : undefined, lockfile };
}

/** Defines the commands below `tbuild lock`. */
export function lockCommands(argv: Argv, found: (args: LockArgs) => void): Argv {
  const run = (read: (values: Values, given: readonly string[]) => LockVerb) => (values: Values) =>
    found({ command: "lock", ...globals(values), lockfile: last(values, "lockfile"), ...read(values, words(values, 2)) });
  return argv
    .usage("Usage: $0 lock COMMAND")
    .command(["ls", "list"], "List what tbuild.lock names", (command) => formatOption(fileOption(command)), run(readList))
    .command("update", "Find out anew what names stand for: update [NAME…]", updateOptions, run(readUpdate))
    .command(["rm", "remove"], "Remove entries: rm NAME…", fileOption, run(readRemove))
    .command("*", false, {}, (values) => {
      const [verb] = words(values, 1);
      throw verb === undefined ? usage("Which lock command?", `Write tbuild lock ${VERBS.join("|")}`) : unknownWord("lock command", verb, VERBS);
    });
}

function fileOption(argv: Argv): Argv {
  return argv.option("lockfile", { ...text, describe: "Path of the file (default tbuild.lock)" });
}

function updateOptions(argv: Argv): Argv {
  return progressOptions(formatOption(fileOption(argv)))
    .usage("Usage: $0 lock update [OPTIONS] [NAME…]")
    .option("dry-run", { type: "boolean", describe: "Show what would change, and write nothing" })
    .option("secret", { ...text, array: true, describe: "Login: id=GIT_AUTH_TOKEN,env=VARIABLE, as for a build" })
    .option("ssh", { ...text, array: true, describe: "Agent for repositories of ssh, as for a build: default" });
}

function readList(values: Values, given: readonly string[]): LockVerb {
  counted(given, [0, 0], "lock ls");
  return { verb: "ls", format: formatOf(values) };
}

function readRemove(_values: Values, given: readonly string[]): LockVerb {
  return { verb: "rm", names: counted(given, [1, Infinity], "lock rm NAME…") };
}

function readUpdate(values: Values, names: readonly string[]): LockVerb {
  return {
    verb: "update",
    names,
    mode: flag(values, "dry-run") ? "plan" : "write",
    format: formatOf(values),
    secret: list(values, "secret"),
    ssh: list(values, "ssh"),
    progress: progressOf(values),
  };
}
