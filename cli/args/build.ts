import type { Argv } from "yargs";
import { suggest } from "../../frontend/dockerfile/suggest.js";
import { resourceNames } from "../flags/limits.js";
import { usage } from "../usage.js";
import { type BuildLockArgs, buildLockOf, buildLockOptions } from "./lock.js";
import { type ProgressChoice, progressOf, progressOption } from "./progress.js";
import { type BuilderArgs, builderOf, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild build` as typed. */
export interface BuildArgs extends GlobalArgs, BuilderArgs, BuildLockArgs {
  readonly command: "build";
  readonly context: string;
  readonly tag: readonly string[];
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly buildArg: readonly string[];
  readonly label: readonly string[];
  readonly addHost: readonly string[];
  readonly noCache: boolean;
  readonly noCacheFilter: readonly string[];
  readonly sourcePolicyFile: string | undefined;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly buildContext: readonly string[];
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly allow: readonly string[];
  readonly ulimit: readonly string[];
  readonly cgroupParent: string | undefined;
  readonly shmSize: string | undefined;
  /** `--resource`, and Docker's older options for the same limits, as NAME=VALUE. */
  readonly resource: readonly string[];
  /** What to ask of the Dockerfile instead of building it; "build" builds. `--check` is "check". */
  readonly call: string;
  readonly pull: boolean;
  readonly platform: readonly string[];
  readonly network: "default" | "host" | "none" | undefined;
  readonly progress: ProgressChoice;
  readonly iidfile: string | undefined;
  readonly metadataFile: string | undefined;
  readonly output: readonly string[];
  /** For every output that is an image. */
  readonly annotation: readonly string[];
  readonly attest: readonly string[];
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
  /** To the registries of the image's names as well, whatever the outputs are. */
  readonly push: boolean;
  /** Into the image store as well, whatever the outputs are. */
  readonly load: boolean;
  readonly ociRuntime: string | undefined;
  /** In the background; the name of the build is printed. */
  readonly detach: boolean;
}

/** The first words that a command line can have. */
export const commands = ["build", "run", "image", "context", "lock", "login", "logout", "du", "prune", "verify", "attach", "builder", "daemon", "dial-stdio", "version"] as const;

const OUTPUT_HELP =
  "Where the result goes: type=image|registry|oci|docker|local|tar,dest=PATH; PATH is type=local, - is a tar on stdout";

/** Options that name a builder elsewhere. */
export function builderOptions(argv: Argv): Argv {
  const describe = "Build there: a name of `tbuild builder ls`, or a unix://, tcp://, ssh:// or docker-container:// address ($TBUILD_HOST)";
  return tlsOptions(argv.option("builder", { type: "string", nargs: 1, describe }));
}

/** Options of TLS to a builder, which are buildctl's. */
export function tlsOptions(argv: Argv): Argv {
  const text = { type: "string", nargs: 1 } as const;
  return argv
    .option("tlscacert", { ...text, describe: "Authority of the builder's certificate" })
    .option("tlscert", { ...text, describe: "Certificate to show to the builder" })
    .option("tlskey", { ...text, describe: "Its key" })
    .option("tlsservername", { ...text, describe: "Name in the builder's certificate (default its host)" })
    .option("tlsdir", { ...text, describe: "Directory of these: ca.pem, cert.pem and key.pem" });
}

/** Options of `tbuild build`: names and meanings are those of `docker build`. */
export function buildOptions(argv: Argv): Argv {
  return inputOptions(argv).usage("Usage: $0 [build] [OPTIONS] PATH");
}

/** All but the words that {@link buildOptions} says of them. */
export function inputOptions(argv: Argv): Argv {
  const text = { type: "string", nargs: 1 } as const;
  const texts = { ...text, array: true } as const;
  return buildLockOptions(builderOptions(argv))
    .option("tag", { ...texts, alias: "t", describe: "Name and optional tag of the image" })
    .option("file", { ...text, alias: "f", describe: "Path of the Dockerfile (default PATH/Dockerfile)" })
    .option("target", { ...text, describe: "Stage to build" })
    .option("build-arg", { ...texts, describe: "Value of an ARG: NAME=VALUE, or NAME to take it from the environment" })
    .option("label", { ...texts, describe: "Label of the image: NAME=VALUE" })
    .option("add-host", { ...texts, describe: "Line of /etc/hosts for RUN: NAME:IP" })
    .option("no-cache", { type: "boolean", describe: "Run every step" })
    .option("no-cache-filter", { ...texts, describe: "Run every step of these stages" })
    .option("source-policy-file", { ...text, describe: "Rules about what may be read, in BuildKit's JSON; default $EXPERIMENTAL_BUILDKIT_SOURCE_POLICY" })
    .option("cache-from", { ...texts, describe: "Cache to look results up in: REF, or type=registry|local,…" })
    .option("cache-to", { ...texts, describe: "Cache to keep results in: REF, or type=registry|local|inline,…,mode=min|max,mounts=true" })
    .option("build-context", { ...texts, describe: "Another context: NAME=DIRECTORY, docker-image://, oci-layout:// or a URL" })
    .option("secret", { ...texts, describe: "Secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE" })
    .option("ssh", { ...texts, describe: "Agent for RUN --mount=type=ssh: default, or ID=SOCKET, or ID=KEY,KEY" })
    .option("allow", { ...texts, describe: "Let steps use network.host, security.insecure or device" })
    .option("check", { type: "boolean", describe: "Check the Dockerfile, and build nothing" })
    .option("call", { ...text, describe: "Ask the Dockerfile for: check, outline or targets [,format=json]" })
    .option("pull", { type: "boolean", describe: "Ask the registry for base images even when they are here" })
    .option("platform", { ...texts, describe: "Platforms of the image, such as linux/amd64,linux/arm64" })
    .option("network", { ...text, choices: ["default", "host", "none"], describe: "Network of RUN" })
    .option("ulimit", { ...texts, describe: "Limit of RUN's processes: NAME=SOFT[:HARD]" })
    .option("shm-size", { ...text, describe: "Size of /dev/shm in RUN, such as 64m" })
    .option("cgroup-parent", { ...text, describe: "Cgroup for RUN's containers" })
    .option("resource", { ...texts, describe: "Limit of each RUN: memory=1g, cpu-shares=…, cpuset-cpus=…" })
    .option("output", { ...texts, alias: "o", describe: OUTPUT_HELP })
    .option("annotation", { ...texts, describe: "Annotation of the image: [index,manifest[linux/arm64],…:]KEY=VALUE" })
    .option("attest", { ...texts, describe: "Attestation of the image: type=provenance|sbom[,KEY=VALUE]" })
    .option("provenance", { ...text, describe: "How the image was built: --provenance[=mode=min|max,…]" })
    .option("sbom", { ...text, describe: "What is in the image: --sbom[=generator=IMAGE]" })
    .option("push", { type: "boolean", describe: "To the registry too, whatever --output says" })
    .option("load", { type: "boolean", describe: "Into the image store too, whatever --output says" })
    .option("progress", progressOption)
    .option("quiet", { alias: "q", type: "boolean", describe: "Print the image ID only" })
    .option("iidfile", { ...text, describe: "Write the image ID to this file" })
    .option("metadata-file", { ...text, describe: "Write the result's metadata to this file as JSON" })
    .option("oci-runtime", { ...text, describe: "OCI runtime for RUN (default runc)" })
    .option("detach", { type: "boolean", describe: "Build in the background and print the build's REF: see tbuild attach" })
    // What these ask of the old builder is always so here.
    .option("rm", { type: "boolean", hidden: true })
    .option("force-rm", { type: "boolean", hidden: true })
    // Docker's older names of --resource.
    .options(Object.fromEntries(resourceNames.map((name) => [name, { ...text, ...aliasOf(name), hidden: true }])));
}

function aliasOf(resource: string): { readonly alias?: string } {
  if (resource === "memory") return { alias: "m" };
  return resource === "cpu-shares" ? { alias: "c" } : {};
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readBuildArgs(values: Values): BuildArgs {
  return {
    command: "build",
    ...globals(values),
    ...builderOf(values),
    context: contextOf(words(values, 1)),
    tag: list(values, "tag"),
    file: last(values, "file"),
    target: last(values, "target"),
    buildArg: list(values, "build-arg"),
    label: list(values, "label"),
    addHost: list(values, "add-host"),
    noCache: flag(values, "no-cache"),
    noCacheFilter: commaSeparated(values, "no-cache-filter"),
    sourcePolicyFile: last(values, "source-policy-file"),
    ...buildLockOf(values),
    cacheFrom: list(values, "cache-from"),
    cacheTo: list(values, "cache-to"),
    buildContext: list(values, "build-context"),
    secret: list(values, "secret"),
    ssh: list(values, "ssh"),
    allow: commaSeparated(values, "allow"),
    ulimit: list(values, "ulimit"),
    cgroupParent: last(values, "cgroup-parent"),
    shmSize: last(values, "shm-size"),
    resource: [...olderResources(values), ...list(values, "resource")],
    call: flag(values, "check") ? "check" : (last(values, "call") ?? "build"),
    pull: flag(values, "pull"),
    platform: commaSeparated(values, "platform"),
    network: last(values, "network") as BuildArgs["network"],
    progress: progressOf(values),
    iidfile: last(values, "iidfile"),
    metadataFile: last(values, "metadata-file"),
    output: list(values, "output"),
    annotation: list(values, "annotation"),
    attest: list(values, "attest"),
    provenance: last(values, "provenance"),
    sbom: last(values, "sbom"),
    push: flag(values, "push"),
    load: flag(values, "load"),
    ociRuntime: last(values, "oci-runtime"),
    detach: flag(values, "detach"),
  };
}

function commaSeparated(values: Values, name: string): readonly string[] {
  return list(values, name).flatMap((value) => value.split(",")).filter((value) => value !== "");
}

function olderResources(values: Values): readonly string[] {
  return resourceNames.flatMap((name) => {
    const value = last(values, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

function contextOf(given: readonly string[]): string {
  const [context] = given;
  if (context === undefined) throw usage("The build needs a PATH", 'Use "tbuild ." to build the Dockerfile of this directory');
  if (given.length > 1) throw tooMany(context, given);
  return context;
}

/** Most often a command that was misspelt, or a value whose option is missing. */
function tooMany(first: string, given: readonly string[]): Error {
  const near = suggest(first, commands);
  const hint = near === null ? "Options must be spelled --name or -x" : `Did you mean "tbuild ${near}"?`;
  return usage(`The build takes one PATH, not ${given.length}: ${given.join(" ")}`, hint);
}
