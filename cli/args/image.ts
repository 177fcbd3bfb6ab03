import type { Argv } from "yargs";
import { unknownWord, usage } from "../usage.js";
import { createOptions, type ImageCreateArgs, readCreate } from "./imageCreate.js";
import {
  historyOptions,
  type ImageHistoryArgs,
  type ImageListArgs,
  type ImagePruneArgs,
  listOptions,
  pruneOptions,
  readHistory,
  readList,
  readPrune,
} from "./imageListing.js";
import { progressOf, progressOptions, type ProgressChoice } from "./progress.js";
import { counted, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** Form of what a listing command prints. */
export type ListFormat = "table" | "json";

/** `tbuild image VERB` as typed. */
export type ImageArgs = GlobalArgs & { readonly command: "image" } & ImageVerb;

/** `tbuild image inspect` as typed. */
export interface ImageInspectArgs {
  readonly verb: "inspect";
  readonly names: readonly string[];
  /** Null when none was given; "json" is all of it as JSON. */
  readonly format: string | null;
  /** The bytes of the manifest or index. */
  readonly raw: boolean;
  /** Where the names are looked up. */
  readonly at: "store" | "registry";
}

type ImageVerb =
  | ImageListArgs
  | ImageHistoryArgs
  | ImagePruneArgs
  | ImageCreateArgs
  | ImageInspectArgs
  /** `force`: names of one ID all go, and a name that is not there is no error. */
  | { readonly verb: "rm"; readonly names: readonly string[]; readonly force: boolean }
  | { readonly verb: "tag"; readonly source: string; readonly target: string }
  /** `output` "-" is standard output. */
  | { readonly verb: "save"; readonly names: readonly string[]; readonly output: string; readonly format: "docker" | "oci" }
  | { readonly verb: "push"; readonly names: readonly string[]; readonly insecure: boolean; readonly progress: ProgressChoice }
  | { readonly verb: "pull"; readonly name: string; readonly platform: readonly string[]; readonly progress: ProgressChoice }
  /** `input` "-" is standard input. */
  | { readonly verb: "load"; readonly input: string }
  | {
      readonly verb: "import";
      readonly file: string;
      readonly name: string | null;
      readonly changes: readonly string[];
      readonly message: string | undefined;
      readonly platform: string | undefined;
    };

const text = { type: "string", nargs: 1 } as const;
const VERBS = ["ls", "inspect", "history", "rm", "prune", "tag", "push", "pull", "create", "save", "load", "import"];

/** Defines the commands below `tbuild image`, each of which hands its arguments to `found`. */
export function imageCommands(argv: Argv, found: (args: ImageArgs) => void): Argv {
  const run = (read: (values: Values, given: readonly string[]) => ImageVerb) => (values: Values) =>
    found({ command: "image", ...globals(values), ...read(values, words(values, 2)) });
  return argv
    .usage("Usage: $0 image COMMAND")
    .command(["ls", "list"], "List images: ls [NAME…]", listOptions, run(readList))
    .command("inspect", "Show an image, here or in its registry: inspect NAME…", inspectOptions, run(readInspect))
    .command("history", "Show how an image was made: history NAME", historyOptions, run(readHistory))
    .command(["rm", "remove"], "Remove names of images: rm NAME…", removeOptions, run(readRemove))
    .command("prune", "Remove images without a name, and what only they need", pruneOptions, run(readPrune))
    .command("tag", "Give an image another name: tag SOURCE TARGET", {}, run(readTag))
    .command("push", "Write images to their registries: push NAME…", pushOptions, run(readPush))
    .command("pull", "Bring an image of a registry here: pull NAME", pullOptions, run(readPull))
    .command("create", "Merge images of registries into an index: create -t NAME SOURCE…", createOptions, run(readCreate))
    .command("save", "Write images to a tar: save -o FILE NAME…", saveOptions, run(readSave))
    .command("load", "Read images from a tar: load -i FILE", loadOptions, run(readLoad))
    .command("import", "Make an image of a root file system's tar: import FILE [NAME]", importOptions, run(readImport))
    .command("*", false, {}, (values) => {
      throw unknownVerb(words(values, 1));
    });
}

/** `--format` of the commands that list. */
export function formatOption(argv: Argv): Argv {
  return argv.option("format", { ...text, choices: ["table", "json"], default: "table", describe: "Form of the output" });
}

/** See {@link formatOption}. */
export function formatOf(values: Values): ListFormat {
  return last(values, "format") === "json" ? "json" : "table";
}

function unknownVerb([verb]: readonly string[]): Error {
  if (verb === undefined) return usage("Which image command?", `One of ${VERBS.join(", ")}`);
  return unknownWord("image command", verb, VERBS);
}

function inspectOptions(argv: Argv): Argv {
  return argv
    .option("format", { ...text, alias: "f", describe: "Go template such as '{{json .Config.Env}}'" })
    .option("raw", { type: "boolean", describe: "Print the manifest or index as it is" })
    .option("remote", { type: "boolean", describe: "Ask the registry, and bring nothing here" })
    // There is nothing else of that name.
    .option("type", { ...text, choices: ["image"], hidden: true });
}

function removeOptions(argv: Argv): Argv {
  return argv.option("force", { alias: "f", type: "boolean", describe: "All names of an ID, and those that are not there" });
}

function pushOptions(argv: Argv): Argv {
  return progressOptions(argv).option("insecure", { type: "boolean", describe: "Accept plain HTTP and any certificate" });
}

function pullOptions(argv: Argv): Argv {
  return progressOptions(argv).option("platform", { ...text, array: true, describe: "Platforms of the image (default this machine's)" });
}

function saveOptions(argv: Argv): Argv {
  return argv
    .option("output", { ...text, alias: "o", describe: "File to write (default stdout)" })
    .option("format", { ...text, choices: ["docker", "oci"], default: "docker", describe: "Form of the archive" });
}

function loadOptions(argv: Argv): Argv {
  return argv
    .option("input", { ...text, alias: "i", describe: "Archive to read (default stdin)" })
    .option("quiet", { alias: "q", type: "boolean", hidden: true });
}

function importOptions(argv: Argv): Argv {
  return argv
    .option("change", { ...text, alias: "c", array: true, describe: "Dockerfile instruction to apply to the config" })
    .option("message", { ...text, alias: "m", describe: "Comment of the history" })
    .option("platform", { ...text, describe: "Platform of the image" });
}

function readInspect(values: Values, given: readonly string[]): ImageVerb {
  const names = counted(given, [1, Infinity], "image inspect NAME…");
  const [raw, remote] = [flag(values, "raw"), flag(values, "remote")];
  if (raw && names.length > 1) throw usage("--raw shows one image at a time", "Write tbuild image inspect --raw NAME");
  return { verb: "inspect", names, format: last(values, "format") ?? null, raw, at: remote ? "registry" : "store" };
}

function readRemove(values: Values, given: readonly string[]): ImageVerb {
  return { verb: "rm", names: counted(given, [1, Infinity], "image rm NAME…"), force: flag(values, "force") };
}

function readTag(_values: Values, given: readonly string[]): ImageVerb {
  const [source = "", target = ""] = counted(given, [2, 2], "image tag SOURCE TARGET");
  return { verb: "tag", source, target };
}

function readPush(values: Values, given: readonly string[]): ImageVerb {
  const names = counted(given, [1, Infinity], "image push NAME…");
  return { verb: "push", names, insecure: flag(values, "insecure"), progress: progressOf(values) };
}

function readPull(values: Values, given: readonly string[]): ImageVerb {
  const [name = ""] = counted(given, [1, 1], "image pull NAME");
  const platform = list(values, "platform").flatMap((value) => value.split(",")).filter((value) => value !== "");
  return { verb: "pull", name, platform, progress: progressOf(values) };
}

function readSave(values: Values, given: readonly string[]): ImageVerb {
  const names = counted(given, [1, Infinity], "image save -o FILE NAME…");
  const format = last(values, "format") === "oci" ? "oci" : "docker";
  return { verb: "save", names, output: last(values, "output") ?? "-", format };
}

function readLoad(values: Values, given: readonly string[]): ImageVerb {
  counted(given, [0, 0], "image load -i FILE");
  return { verb: "load", input: last(values, "input") ?? "-" };
}

function readImport(values: Values, given: readonly string[]): ImageVerb {
  const [file = "", name = null] = counted(given, [1, 2], "image import FILE [NAME]");
  if (/^(?:https?|ftp):\/\//.test(file)) {
    throw usage(`Cannot import "${file}": a URL is not read`, "Download it, and pipe it in: curl URL | tbuild image import - NAME");
  }
  const [message, platform] = [last(values, "message"), last(values, "platform")];
  return { verb: "import", file, name, changes: list(values, "change"), message, platform };
}
