import type { Argv, Options } from "yargs";
import { usage } from "../usage.js";
import { notForRun } from "./absentOptions.js";
import { type ProgressChoice, progressOf, progressOptions } from "./progress.js";
import { flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild run` as typed. */
export interface RunArgs extends GlobalArgs {
  readonly command: "run";
  readonly image: string;
  /** What stands behind the image; the image's CMD when empty. */
  readonly words: readonly string[];
  /** NAME=VALUE, or NAME for the value that it has here. */
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly workdir: string | undefined;
  readonly user: string | undefined;
  /** "" is none. */
  readonly entrypoint: string | undefined;
  readonly network: "default" | "host" | "none" | undefined;
  readonly addHost: readonly string[];
  readonly volume: readonly string[];
  readonly mount: readonly string[];
  readonly readOnly: boolean;
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly platform: string | undefined;
  readonly pull: "missing" | "always" | "never";
  readonly progress: ProgressChoice;
  readonly ociRuntime: string | undefined;
}

const text = { type: "string", nargs: 1 } as const;
const texts = { ...text, array: true } as const;

const WITH_VALUE: Readonly<Record<string, Options>> = {
  env: { ...texts, alias: "e", describe: "Variable: NAME=VALUE, or NAME for the value that it has here" },
  "env-file": { ...texts, describe: "File of variables, one a line" },
  workdir: { ...text, alias: "w", describe: "Working directory" },
  user: { ...text, alias: "u", describe: "User: NAME or ID, with :GROUP behind it" },
  entrypoint: { ...text, describe: "Program instead of the image's ENTRYPOINT" },
  network: { ...text, choices: ["default", "host", "none"], describe: "Network of the process" },
  "add-host": { ...texts, describe: "Line of /etc/hosts: NAME:IP" },
  volume: { ...texts, alias: "v", describe: "Directory or file of this machine: /HOST:/PATH[:ro]" },
  mount: { ...texts, describe: "The same as type=bind,src=/HOST,dst=/PATH[,ro]; or type=tmpfs,dst=/PATH" },
  platform: { ...text, describe: "Platform of the image (default this machine's)" },
  pull: { ...text, choices: ["missing", "always", "never"], default: "missing", describe: "When to ask the registry for the image" },
  "oci-runtime": { ...text, describe: "OCI runtime (default runc)" },
};

const ABSENT = Object.entries(notForRun);

/** Names of the options that take a value. */
const VALUE_NAMES = [...Object.keys(WITH_VALUE), ...ABSENT.flatMap(([name, { value }]) => (value ? [name] : [])), "root", "config", "progress"];

/** Letters of the options of `tbuild run` that take a value. */
export const runShortOptions = [...Object.values(WITH_VALUE), ...Object.values(notForRun).filter(({ value }) => value)]
  .map(({ alias }) => String(alias ?? ""))
  .join("");

/** Options of `tbuild run`: names and meanings are those of `docker run`. */
export function runOptions(argv: Argv): Argv {
  return progressOptions(argv.usage("Usage: $0 run [OPTIONS] IMAGE [COMMAND] [ARG…]").options(WITH_VALUE))
    .option("read-only", { type: "boolean", describe: "Make the root file system read-only" })
    .option("interactive", { alias: "i", type: "boolean", describe: "Pass standard input on" })
    .option("tty", { alias: "t", type: "boolean", describe: "Give the process a terminal; with -i" })
    // Nothing is ever kept.
    .option("rm", { type: "boolean", hidden: true })
    .options(Object.fromEntries(ABSENT.map(([name, { alias, value }]) => [name, { ...absent(value), ...(alias === undefined ? {} : { alias }) }])))
    .example("$0 run app:1 sh -c 'app --version'", "Try what was built");
}

function absent(value: boolean): Options {
  return value ? { ...text, hidden: true } : { type: "boolean", hidden: true };
}

/** The words of a run with "--" before the image, since what stands behind it is none of our options. */
export function separateImage(given: readonly string[]): readonly string[] {
  for (let at = given.indexOf("run") + 1; at < given.length; at += takesNext(given[at]!) ? 2 : 1) {
    const word = given[at]!;
    if (word === "--") return given;
    if (!word.startsWith("-") || word === "-") return [...given.slice(0, at), "--", ...given.slice(at)];
  }
  return given;
}

/** True when an option's value is the next word. */
function takesNext(word: string): boolean {
  if (word.startsWith("--")) return !word.includes("=") && VALUE_NAMES.includes(word.slice(2));
  const at = [...word].findIndex((letter) => runShortOptions.includes(letter));
  return at >= 0 && at === word.length - 1;
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readRunArgs(values: Values): RunArgs {
  for (const [name, { hint }] of ABSENT) if (values[name] !== undefined) throw usage(`"tbuild run" has no option "--${name}"`, hint);
  const [image, ...command] = words(values, 1);
  if (image === undefined || image === "") throw usage('"tbuild run" needs an image', "Write tbuild run [OPTIONS] IMAGE [COMMAND] [ARG…]");
  const [interactive, tty] = [flag(values, "interactive"), flag(values, "tty")];
  if (tty && !interactive) throw usage("A terminal that takes no input is not supported", "Use -it, or leave -t away");
  return {
    command: "run",
    ...globals(values),
    image,
    words: command,
    env: list(values, "env"),
    envFile: list(values, "env-file"),
    workdir: last(values, "workdir"),
    user: last(values, "user"),
    entrypoint: list(values, "entrypoint").at(-1),
    network: last(values, "network") as RunArgs["network"],
    addHost: list(values, "add-host"),
    volume: list(values, "volume"),
    mount: list(values, "mount"),
    readOnly: flag(values, "read-only"),
    interactive,
    tty,
    platform: last(values, "platform"),
    pull: last(values, "pull") as RunArgs["pull"],
    progress: progressOf(values),
    ociRuntime: last(values, "oci-runtime"),
  };
}
