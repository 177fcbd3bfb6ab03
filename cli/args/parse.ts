import type { Argv } from "yargs";
import { type AttachArgs, attachOptions, readAttachArgs } from "./attach.js";
import { type BuilderCommandArgs, builderCommands } from "./builder.js";
import { type BuildArgs, buildOptions, commands, readBuildArgs } from "./build.js";
import { type ContextArgs, contextCommands } from "./context.js";
import { type DaemonArgs, daemonOptions, readDaemonArgs } from "./daemon.js";
import { withAttestValues } from "../flags/attest.js";
import { type DialStdioArgs, dialStdioOptions, readDialStdioArgs } from "./dialStdio.js";
import { yargsError } from "./errors.js";
import { type HistoryArgs, historyOptions, historyVerbs, readHistoryArgs } from "./history.js";
import { formatOption, type ImageArgs, imageCommands } from "./image.js";
import { type LockArgs, lockCommands } from "./lock.js";
import { loginOptions, type LoginArgs, type LogoutArgs, readLoginArgs, readLogoutArgs } from "./login.js";
import { readRunArgs, type RunArgs, runOptions, separateImage } from "./run.js";
import { shortOptionsWithValue, splitShortOptions } from "./shortOptions.js";
import { readVerifyArgs, type VerifyArgs, verifyOptions } from "./verify.js";
import { type DuArgs, type PruneArgs, pruneOptions, readDuArgs, readPruneArgs } from "./space.js";

/** A command that needs a store. */
export type StoreArgs = BuildArgs | RunArgs | ImageArgs | LockArgs | DuArgs | PruneArgs | VerifyArgs;

/** A parsed command line, or text to print (help) instead. */
export type ParsedArgs = StoreArgs | DaemonArgs | DialStdioArgs | HistoryArgs | AttachArgs | BuilderCommandArgs | ContextArgs | LoginArgs | LogoutArgs | { readonly command: "version" } | { readonly command: "help"; readonly text: string };

/** Widest help: longer lines are hard to read. */
const MAX_COLUMNS = 110;

/**
 * Reads the words after `tbuild`. Loads yargs, so that nothing else has to. A build does without yargs' commands, which
 * lay out the help each time: tens of milliseconds. @throws {TbuildError} usage
 */
export async function parseArgs(words: readonly string[], columns: number): Promise<ParsedArgs> {
  const { default: yargs } = await import("yargs");
  let parsed: ParsedArgs | null = null;
  const explicit = explicitWords(words);
  if (commandOf(explicit) === "build" && !wantsHelp(explicit)) {
    return readBuildArgs(await buildOptions(everyCommand(yargs())).parseAsync(explicit));
  }
  const parser = commandLine(yargs(), (args) => (parsed = args)).wrap(Math.min(MAX_COLUMNS, columns));
  if (!wantsHelp(explicit)) await parser.parseAsync(explicit);
  return parsed ?? { command: "help", text: `${await helpOf(parser, explicit)}\n` };
}

/** The words with the command that they mean, and short options apart. */
function explicitWords(given: readonly string[]): readonly string[] {
  const words = apart(withAlias(withDefaultCommand(given)));
  const at = commandIndex(words);
  return splitShortOptions(words, shortOptionsWithValue(words[at] ?? "", words[at + 1] ?? ""));
}

/** Docker's short names of commands on images. */
const ALIASES: Readonly<Record<string, string>> = {
  images: "ls",
  rmi: "rm",
  history: "history",
  inspect: "inspect",
  tag: "tag",
  save: "save",
  load: "load",
  import: "import",
};

function apart(words: readonly string[]): readonly string[] {
  const command = commandOf(words);
  if (command === "build") return withAttestValues(words);
  return command === "run" ? separateImage(words) : words;
}

function withAlias(words: readonly string[]): readonly string[] {
  const at = commandIndex(words);
  const next = words[at + 1] ?? "--help";
  const isOfBuilds = words[at] === "history" && (/^(?:-h|--help|--builder)(?:=|$)/.test(next) || historyVerbs.some((name) => name === next));
  const verb = !isOfBuilds && Object.hasOwn(ALIASES, words[at] ?? "") ? ALIASES[words[at]!]! : null;
  return verb === null ? words : [...words.slice(0, at), "image", verb, ...words.slice(at + 1)];
}

function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).some((word) => word === "--help" || word === "-h");
}

async function helpOf(parser: Argv, words: readonly string[]): Promise<string> {
  let help = "";
  await parser.parseAsync(words, {}, (_error: unknown, _argv: unknown, output: string) => void (help = output));
  return help;
}

/** `tbuild -t x .` is `tbuild build -t x .`; a command may stand behind the options that every command takes. */
function withDefaultCommand(words: readonly string[]): readonly string[] {
  if (words.length === 0) return ["--help"];
  if (words[0] === "help") return [...words.slice(1), "--help"];
  const word = commandOf(words);
  const isCommand = word === undefined || word === "--help" || word === "-h" || Object.hasOwn(ALIASES, word) || commands.some((name) => name === word);
  return isCommand ? words : ["build", ...words];
}

/** The first word that is not an option which every command takes, or its value. */
export function commandOf(words: readonly string[]): string | undefined {
  return words[commandIndex(words)];
}

/** Place of the first word that is not an option which every command takes, or its value. */
function commandIndex(words: readonly string[]): number {
  let first = 0;
  while (/^--(?:root|config)(?:=|$)/.test(words[first] ?? "")) first += words[first]!.includes("=") ? 1 : 2;
  return first;
}

function commandLine(yargs: Argv, found: (args: ParsedArgs) => void): Argv {
  return everyCommand(yargs)
    .usage("Usage: $0 [build] [OPTIONS] PATH\n       $0 COMMAND")
    .command("build", "Build an image from a Dockerfile (the default command)", buildOptions, (values) => found(readBuildArgs(values)))
    .command("run", "Run a command in an image: run IMAGE [COMMAND]", runOptions, (values) => found(readRunArgs(values)))
    .command("image", "List and manage images", (argv) => imageCommands(argv, found))
    .command("context", "Show what a build reads of its context", (argv) => contextCommands(argv, found))
    .command("lock", "List and move what tbuild.lock names", (argv) => lockCommands(argv, found))
    .command("login", "Log in to a registry: login [REGISTRY]", loginOptions, (values) => found(readLoginArgs(values)))
    .command("logout", "Forget the login to a registry: logout [REGISTRY]", {}, (values) => found(readLogoutArgs(values)))
    .command("du", "Show what the store holds", formatOption, (values) => found(readDuArgs(values)))
    .command("prune", "Remove what no image needs", pruneOptions, (values) => found(readPruneArgs(values)))
    .command("verify", "Build an image anew and show what differs: verify IMAGE PATH", verifyOptions, (values) => found(readVerifyArgs(values)))
    .command("builder", "Name builders elsewhere, of one machine or several", (argv) => builderCommands(argv, found))
    .command("daemon", "Serve BuildKit's clients: docker buildx, buildctl", daemonOptions, (values) => found(readDaemonArgs(values)))
    .command("history", `Show and keep what was built: history ${historyVerbs.join("|")}`, historyOptions, (values) => found(readHistoryArgs(values)))
    .command("attach", "Follow a build that runs: attach [REF]", attachOptions, (values) => found(readAttachArgs(values)))
    .command("dial-stdio", "Connect standard input and output to a builder", dialStdioOptions, (values) => found(readDialStdioArgs(values)))
    .command("version", "Show the version", {}, () => found({ command: "version" }))
    .epilogue(`Short for image commands: ${Object.keys(ALIASES).join(", ")}`)
    .example("$0 -t nginx:v3 .", "Build the Dockerfile of this directory");
}

/** What holds for every command line. */
function everyCommand(yargs: Argv): Argv {
  return yargs
    .scriptName("tbuild")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "duplicate-arguments-array": true,
      "greedy-arrays": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .option("root", { type: "string", nargs: 1, describe: "Directory of the store", global: true })
    .option("config", { type: "string", nargs: 1, describe: "Path of tbuild.toml", global: true })
    .strictOptions()
    .version(false)
    .help("help")
    .alias("help", "h")
    .exitProcess(false)
    .fail((message, error, failed) => {
      const parser = failed as unknown as { help(): string };
      // Too few values come as an error of yargs' own.
      throw error === undefined || error.name === "YError" ? yargsError(message ?? error?.message ?? "", parser) : error;
    });
}
