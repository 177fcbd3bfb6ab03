import type { Argv } from "yargs";
import { TbuildError } from "../cache/errors.js";
import { suggest } from "../frontend/dockerfile/suggest.js";

/** Options that every command takes. */
export interface GlobalArgs {
  readonly root: string | undefined;
  readonly config: string | undefined;
}

/** `tbuild build` as typed. */
export interface BuildArgs extends GlobalArgs {
  readonly command: "build";
  readonly context: string;
  readonly tag: readonly string[];
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly buildArg: readonly string[];
  readonly label: readonly string[];
  readonly addHost: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly platform: string | undefined;
  readonly network: string | undefined;
  readonly progress: "auto" | "tty" | "plain" | "quiet" | "rawjson";
  readonly iidfile: string | undefined;
  readonly metadataFile: string | undefined;
  readonly output: readonly string[];
  readonly ociRuntime: string | undefined;
}

/** The other commands: their words, and their options as yargs gives them. */
export interface OtherArgs extends GlobalArgs {
  readonly command: "image" | "du" | "prune" | "version";
  readonly verb: string;
  readonly names: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A parsed command line, or text to print (help) instead. */
export type ParsedArgs = BuildArgs | OtherArgs | { readonly command: "help"; readonly text: string };

const COMMANDS = ["build", "image", "du", "prune", "version"];

/** Reads the words after `tbuild`. Loads yargs, so that nothing else has to. @throws {TbuildError} usage */
export async function parseArgs(words: readonly string[], columns: number): Promise<ParsedArgs> {
  const { default: yargs } = await import("yargs");
  let parsed: ParsedArgs | null = null;
  const parser = commandLine(yargs() as Argv, (args) => (parsed = args)).wrap(Math.min(100, columns));
  let help = "";
  await parser.parseAsync(withDefaultCommand(words), {}, (_error: unknown, _argv: unknown, output: string) => void (help = output));
  return parsed ?? { command: "help", text: `${help}\n` };
}

/** `tbuild -t x .` is `tbuild build -t x .`; a command may stand behind the options that every command takes. */
function withDefaultCommand(words: readonly string[]): readonly string[] {
  if (words.length === 0) return ["--help"];
  let first = 0;
  while (/^--(?:root|config)(?:=|$)/.test(words[first] ?? "")) first += words[first]!.includes("=") ? 1 : 2;
  const word = words[first];
  return word === undefined || word === "--help" || word === "-h" || COMMANDS.includes(word) ? words : ["build", ...words];
}

type Found = (args: ParsedArgs) => void;

function commandLine(yargs: Argv, found: Found): Argv {
  return yargs
    .scriptName("tbuild")
    .usage("Usage: $0 [build] [OPTIONS] PATH\n       $0 COMMAND")
    .parserConfiguration({ "camel-case-expansion": false, "dot-notation": false, "duplicate-arguments-array": true, "boolean-negation": false, "greedy-arrays": false, "parse-numbers": false, "parse-positional-numbers": false })
    .option("root", { type: "string", describe: "Directory of the store", global: true })
    .option("config", { type: "string", describe: "Path of tbuild.toml", global: true })
    .command("build", "Build an image from a Dockerfile (the default command)", buildOptions, (argv) => found(buildArgs(argv)))
    .command("image", "List and manage images", (argv) => imageCommands(argv, found))
    .command("du", "Show what the store holds", formatOption, (argv) => found(otherArgs("du", "du", argv)))
    .command("prune", "Remove what no image needs", pruneOptions, (argv) => found(otherArgs("prune", "prune", argv)))
    .command("version", "Show the version", {}, (argv) => found(otherArgs("version", "version", argv)))
    .example("$0 -t nginx:v3 .", "Build the Dockerfile of this directory")
    .strictOptions()
    .version(false)
    .help("help")
    .alias("help", "h")
    .exitProcess(false)
    .fail((message, error, failed) => {
      throw error ?? usageError(message, failed as unknown as { help(): string });
    });
}

function buildOptions(argv: Argv): Argv {
  return argv
    .usage("Usage: $0 [build] [OPTIONS] PATH")
    .option("tag", { alias: "t", type: "string", array: true, describe: "Name and optional tag of the image" })
    .option("file", { alias: "f", type: "string", describe: "Path of the Dockerfile (default PATH/Dockerfile)" })
    .option("target", { type: "string", describe: "Stage to build" })
    .option("build-arg", { type: "string", array: true, describe: "Value of an ARG: NAME=VALUE, or NAME to take it from the environment" })
    .option("label", { type: "string", array: true, describe: "Label of the image: NAME=VALUE" })
    .option("add-host", { type: "string", array: true, describe: "Line of /etc/hosts for RUN: NAME:IP" })
    .option("no-cache", { type: "boolean", describe: "Run every step" })
    .option("pull", { type: "boolean", describe: "Ask the registry for base images even when they are here" })
    .option("platform", { type: "string", describe: "Platform of the image, such as linux/amd64" })
    .option("network", { type: "string", choices: ["default", "host", "none"], describe: "Network of RUN" })
    .option("output", { alias: "o", type: "string", array: true, describe: "Where the result goes: type=image|oci|docker|local|tar,dest=PATH; PATH is type=local, - is a tar on stdout" })
    .option("progress", { type: "string", choices: ["auto", "tty", "plain", "quiet", "rawjson"], default: process.env["BUILDKIT_PROGRESS"] ?? "auto", describe: "How progress is shown" })
    .option("quiet", { alias: "q", type: "boolean", describe: "Print the image ID only" })
    .option("iidfile", { type: "string", describe: "Write the image ID to this file" })
    .option("metadata-file", { type: "string", describe: "Write the result's metadata to this file as JSON" })
    .option("oci-runtime", { type: "string", describe: "OCI runtime for RUN (default runc)" })
    .positional("context", { type: "string", describe: "Directory of the build context" });
}

function buildArgs(argv: Readonly<Record<string, unknown>>): BuildArgs {
  const context = positional(argv);
  if (context.length === 0) throw usage("The build needs a PATH", 'Use "tbuild ." to build the Dockerfile of this directory');
  if (context.length > 1) throw usage(`The build takes one PATH, not ${context.length}: ${context.join(" ")}`, "Options must be spelled --name or -x");
  return {
    command: "build",
    ...globals(argv),
    context: context[0]!,
    tag: list(argv, "tag"),
    file: last(argv, "file"),
    target: last(argv, "target"),
    buildArg: list(argv, "build-arg"),
    label: list(argv, "label"),
    addHost: list(argv, "add-host"),
    noCache: argv["no-cache"] === true,
    pull: argv["pull"] === true,
    platform: last(argv, "platform"),
    network: last(argv, "network"),
    progress: argv["quiet"] === true ? "quiet" : (last(argv, "progress") as BuildArgs["progress"]),
    iidfile: last(argv, "iidfile"),
    metadataFile: last(argv, "metadata-file"),
    output: list(argv, "output"),
    ociRuntime: last(argv, "oci-runtime"),
  };
}

function imageCommands(argv: Argv, found: Found): Argv {
  const verb = (name: string) => (parsed: Readonly<Record<string, unknown>>) => found(otherArgs("image", name, parsed));
  return argv
    .usage("Usage: $0 image COMMAND")
    .command(["ls", "list"], "List images", (y) => formatOption(quietOption(y)), verb("ls"))
    .command("inspect", "Show an image's config as JSON: inspect NAME…", {}, verb("inspect"))
    .command("history", "Show an image's history: history NAME", formatOption, verb("history"))
    .command("rm", "Remove names of images: rm NAME…", {}, verb("rm"))
    .command("tag", "Give an image another name: tag SOURCE TARGET", {}, verb("tag"))
    .command("save", "Write images to a tar: save -o FILE NAME…", saveOptions, verb("save"))
    .command("load", "Read images from a tar: load -i FILE", (y) => y.option("input", { alias: "i", type: "string", describe: "Archive to read (default stdin)" }), verb("load"))
    .command("import", "Make an image of a root file system tar: import FILE NAME", (y) => y.option("change", { alias: "c", type: "string", array: true, describe: "Dockerfile instruction to apply to the config" }), verb("import"))
    .command("*", false, {}, (parsed) => {
      throw unknownVerb(positional(parsed));
    });
}

const IMAGE_VERBS = ["ls", "inspect", "history", "rm", "tag", "save", "load", "import"];

function unknownVerb([verb]: readonly string[]): TbuildError {
  if (verb === undefined) return usage("Which image command?", `One of ${IMAGE_VERBS.join(", ")}`);
  const near = suggest(verb, IMAGE_VERBS);
  return usage(`Unknown image command "${verb}"`, near === null ? `One of ${IMAGE_VERBS.join(", ")}` : `Did you mean "${near}"?`);
}

function saveOptions(argv: Argv): Argv {
  return argv
    .option("output", { alias: "o", type: "string", describe: "File to write (default stdout)" })
    .option("format", { type: "string", choices: ["docker", "oci"], default: "docker", describe: "Form of the archive" });
}

function formatOption(argv: Argv): Argv {
  return argv.option("format", { type: "string", choices: ["table", "json"], default: "table", describe: "Form of the output" });
}

function quietOption(argv: Argv): Argv {
  return argv.option("quiet", { alias: "q", type: "boolean", describe: "IDs only" });
}

function pruneOptions(argv: Argv): Argv {
  return argv
    .option("all", { alias: "a", type: "boolean", describe: "Remove images that have lost their name as well" })
    .option("max-used-space", { type: "string", describe: "Keep at most this much, such as 10GB" })
    .option("keep-duration", { type: "string", describe: "Keep what was used within this time, such as 48h" });
}

function otherArgs(command: OtherArgs["command"], verb: string, argv: Readonly<Record<string, unknown>>): OtherArgs {
  return { command, ...globals(argv), verb, names: positional(argv), options: argv };
}

function globals(argv: Readonly<Record<string, unknown>>): GlobalArgs {
  return { root: last(argv, "root"), config: last(argv, "config") };
}

/** Words that are no options; the command's own words are left out. */
function positional(argv: Readonly<Record<string, unknown>>): readonly string[] {
  const words = (argv["_"] as readonly (string | number)[]).map(String);
  return words.slice(words[0] === "image" && IMAGE_VERBS.includes(words[1] ?? "") ? 2 : 1);
}

function list(argv: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = argv[name];
  return value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];
}

/** An option given twice has its last value, as Docker's has. */
function last(argv: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return list(argv, name).at(-1);
}

/** yargs hands the usage of the command that failed, whose help names every option. */
function usageError(message: string, failed: { help(): string }): TbuildError {
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(", ")[0];
  if (unknown === undefined) return usage(message.split("\n")[0] ?? message, "See tbuild --help");
  const options = [...failed.help().matchAll(/--([a-z][\w-]+)/g)].map(([, name]) => name!);
  const near = suggest(unknown, options);
  const written = unknown.length === 1 ? `-${unknown}` : `--${unknown}`;
  return usage(`Unknown option "${written}"`, near === null ? "See tbuild --help" : `Did you mean "--${near}"?`);
}

/** A wrong command line. */
export function usage(message: string, hint: string): TbuildError {
  return new TbuildError("usage", message, { hint });
}
