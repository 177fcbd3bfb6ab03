import path from "node:path";
import type { Argv } from "yargs";
import type { TlsFiles } from "../../builder/remote/tlsFiles.js";
import { unknownWord, usage } from "../usage.js";
import { tlsOptions } from "./build.js";
import { formatOf, formatOption, type ListFormat } from "./image.js";
import { counted, flag, last, list, tlsOf, type Values, words } from "./values.js";

/** `tbuild builder VERB` as typed. */
export type BuilderCommandArgs = { readonly command: "builder" } & BuilderVerb;

/** `tbuild builder create` as typed. */
export interface BuilderCreateArgs {
  readonly verb: "create";
  readonly name: string;
  /** Undefined with "leave" only. */
  readonly address: string | undefined;
  /** "append" adds a node to a builder that is there or puts it in the place of one of its name, "leave" takes one away. */
  readonly mode: "new" | "append" | "leave";
  readonly node: string | undefined;
  readonly platforms: readonly string[];
  /** Absolute paths. */
  readonly tls: TlsFiles;
  readonly use: boolean;
}

type BuilderVerb =
  | BuilderCreateArgs
  | { readonly verb: "ls"; readonly format: ListFormat }
  | { readonly verb: "use"; readonly name: string }
  /** Undefined is the one in use. */
  | { readonly verb: "inspect"; readonly name: string | undefined; readonly format: ListFormat }
  | { readonly verb: "rm"; readonly names: readonly string[] };

const VERBS = ["create", "ls", "use", "inspect", "rm"];
const text = { type: "string", nargs: 1 } as const;

/** Defines the commands below `tbuild builder`, each of which hands its arguments to `found`. */
export function builderCommands(argv: Argv, found: (args: BuilderCommandArgs) => void): Argv {
  const run = (read: (values: Values, given: readonly string[]) => BuilderVerb) => (values: Values) =>
    found({ command: "builder", ...read(values, words(values, 2)) });
  return argv
    .usage("Usage: $0 builder COMMAND")
    .command("create", "Name a builder, or add a node to one: create --name NAME ADDRESS", createOptions, run(readCreate))
    .command(["ls", "list"], "List builders, and ask their nodes how they are", formatOption, run(readList))
    .command("use", "Build there unless told otherwise: use NAME; default is this process", {}, run(readUse))
    .command("inspect", "Show what the nodes of a builder say of themselves: inspect [NAME]", formatOption, run(readInspect))
    .command(["rm", "remove"], "Forget builders, which go on running: rm NAME…", {}, run(readRemove))
    .command("*", false, {}, (values) => {
      const [verb] = words(values, 1);
      throw verb === undefined ? usage("Which builder command?", `One of ${VERBS.join(", ")}`) : unknownWord("builder command", verb, VERBS);
    });
}

function createOptions(argv: Argv): Argv {
  return tlsOptions(argv)
    .usage("Usage: $0 builder create --name NAME [OPTIONS] ADDRESS")
    .option("name", { ...text, describe: "Name of the builder" })
    .option("append", { type: "boolean", describe: "Add a node to a builder that is there" })
    .option("leave", { type: "boolean", describe: "Take the node of --node away from the builder" })
    .option("node", { ...text, describe: "Name of the node (default the builder's with a number)" })
    .option("platform", { ...text, array: true, describe: "Platforms to build on this node first of all, such as linux/arm64" })
    .option("use", { type: "boolean", describe: "Build there unless told otherwise" })
    .example("$0 builder create --name ci unix:///run/tbuild/tbuildd.sock", "A builder of one node")
    .example("$0 builder create --name ci --append --tlsdir certs tcp://arm.example.com", "Another node of it");
}

const FORM = "builder create --name NAME ADDRESS";

function readCreate(values: Values, given: readonly string[]): BuilderVerb {
  const [name, node, append, leave] = [last(values, "name"), last(values, "node"), flag(values, "append"), flag(values, "leave")];
  if (name === undefined) throw usage("The builder has no name", `Write tbuild ${FORM}`);
  if (append && leave) throw usage("Cannot use --append with --leave", "One adds a node, the other takes one away");
  if (leave && node === undefined) throw usage("Which node is to leave?", `Write tbuild builder create --name ${name} --leave --node NODE`);
  const [address] = leave ? counted(given, [0, 0], `builder create --name ${name} --leave --node NODE`) : counted(given, [1, 1], FORM);
  const platforms = list(values, "platform").flatMap((value) => value.split(",")).filter((value) => value !== "");
  const mode = append ? "append" : leave ? "leave" : "new";
  return { verb: "create", name, address, mode, node, platforms, tls: absolute(tlsOf(values)), use: flag(values, "use") };
}

/** Builds may start in any directory. */
function absolute({ serverName, ...files }: TlsFiles): TlsFiles {
  const paths = Object.entries(files).flatMap(([key, file]) => (file === undefined ? [] : [[key, path.resolve(file)] as const]));
  return { ...Object.fromEntries(paths), ...(serverName === undefined ? {} : { serverName }) };
}

function readList(values: Values, given: readonly string[]): BuilderVerb {
  counted(given, [0, 0], "builder ls");
  return { verb: "ls", format: formatOf(values) };
}

function readUse(_values: Values, given: readonly string[]): BuilderVerb {
  const [name = ""] = counted(given, [1, 1], "builder use NAME");
  return { verb: "use", name };
}

function readInspect(values: Values, given: readonly string[]): BuilderVerb {
  const [name] = counted(given, [0, 1], "builder inspect [NAME]");
  return { verb: "inspect", name, format: formatOf(values) };
}

function readRemove(_values: Values, given: readonly string[]): BuilderVerb {
  return { verb: "rm", names: counted(given, [1, Infinity], "builder rm NAME…") };
}
