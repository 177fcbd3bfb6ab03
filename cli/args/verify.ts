import type { Argv } from "yargs";
import type { ImagePlace } from "../../builder/verify/openImage.js";
import { usage } from "../usage.js";
import { type BuildArgs, inputOptions, readBuildArgs } from "./build.js";
import type { ProgressChoice } from "./progress.js";
import { type BuilderArgs, builderOf, counted, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild verify` as typed. */
export interface VerifyArgs extends GlobalArgs, BuilderArgs {
  readonly command: "verify";
  readonly image: string;
  readonly place: ImagePlace;
  /** What it should come from. */
  readonly build: BuildArgs;
  readonly cache: "none" | "reuse";
  readonly provenance: "believe" | "ignore";
  readonly maxDifferences: number;
  readonly ignoreTimes: boolean;
  readonly format: "text" | "json";
  readonly progress: ProgressChoice;
  readonly ociRuntime: string | undefined;
}

/** Options of a build that say where its result goes, or what is said of it: here it goes nowhere. */
const WITHOUT = [
  "tag", "output", "push", "load", "iidfile", "metadata-file", "annotation", "attest", "provenance", "sbom", "cache-to", "check", "call", "no-cache",
  "no-cache-filter", "lock", "detach", "builder", "tlscacert", "tlscert", "tlskey", "tlsservername", "tlsdir",
] as const;

const DEFAULT_DIFFERENCES = 10;

/** Options of `tbuild verify`: those of a build that change its result, and its own. */
export function verifyOptions(argv: Argv): Argv {
  return inputOptions(argv)
    .usage("Usage: $0 verify [OPTIONS] IMAGE PATH\n\nIMAGE: a name or ID of the image store, an OCI archive or layout, or a name in a registry")
    .options(Object.fromEntries(WITHOUT.map((name) => [name, { hidden: true }])))
    .option("cache", { type: "boolean", describe: "Take steps from the cache: what was cached proves nothing" })
    .option("remote", { type: "boolean", describe: "Ask the registry for IMAGE, even when the image store has it" })
    .option("max-differences", { alias: "n", type: "string", nargs: 1, describe: `Differences to show of each layer (default ${DEFAULT_DIFFERENCES})` })
    .option("ignore-times", { type: "boolean", describe: "Let the times of files differ" })
    .option("ignore-provenance", { type: "boolean", describe: "Take no build arguments, target or base images from the image's provenance" })
    .option("format", { type: "string", nargs: 1, choices: ["text", "json"], describe: "How to print what differs (default text)" })
    .describe("quiet", "Show no progress")
    .example("$0 verify registry.example/app:1 .", "Is this image what the Dockerfile of this directory builds?");
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readVerifyArgs(values: Values): VerifyArgs {
  const [image = "", context = ""] = counted(words(values, 1), [2, 2], "verify IMAGE PATH");
  // A builder elsewhere is refused where it is known that there is one.
  const odd = WITHOUT.find((name) => name !== "builder" && list(values, name).length > 0);
  if (odd !== undefined) throw usage(`Cannot use --${odd} with "tbuild verify"`, odd.startsWith("no-cache") ? "It runs every step, unless --cache is given" : "What it builds goes nowhere");
  const build = readBuildArgs({ ...values, _: ["build", context] });
  return {
    command: "verify",
    ...globals(values),
    ...builderOf(values),
    image,
    place: flag(values, "remote") ? "registry" : "anywhere",
    build,
    cache: flag(values, "cache") ? "reuse" : "none",
    provenance: flag(values, "ignore-provenance") ? "ignore" : "believe",
    maxDifferences: countOf(last(values, "max-differences")),
    ignoreTimes: flag(values, "ignore-times"),
    format: last(values, "format") === "json" ? "json" : "text",
    progress: build.progress,
    ociRuntime: build.ociRuntime,
  };
}

function countOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_DIFFERENCES;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usage(`Cannot read --max-differences "${text}"`, "Write --max-differences with a number from 1 on");
}
