import type { ExportSpec } from "../builder/exporter/exporter.js";
import type { BuildRequest } from "../builder/request.js";
import { parsePlatform } from "../cache/oci/platform.js";
import { parseReference } from "../cache/oci/reference.js";
import type { BuildArgs } from "./args/build.js";
import { parseAddHost } from "./flags/addHost.js";
import { keyValue } from "./flags/keyValue.js";
import { parseMemory, parseResources, parseUlimit } from "./flags/limits.js";
import { parseSecret } from "./flags/secret.js";
import { parseSsh } from "./flags/ssh.js";
import { parseOutput } from "./outputs.js";
import { usage } from "./usage.js";

/** The request that a command line stands for. @throws {TbuildError} usage, invalid_reference, invalid_argument */
export function buildRequest(args: BuildArgs): BuildRequest {
  for (const tag of args.tag) parseReference(tag);
  if (args.platform?.includes(",") === true) {
    throw usage("Several platforms in one build are not supported yet", "Build one platform at a time");
  }
  return {
    context: args.context,
    dockerfile: args.file,
    tags: args.tag,
    target: args.target,
    buildArgs: Object.fromEntries(args.buildArg.flatMap(fromEnvironment)),
    labels: Object.fromEntries(args.label.map((label) => keyValue(label, "--label"))),
    platform: args.platform === undefined ? undefined : parsePlatform(args.platform),
    noCache: args.noCache,
    pull: args.pull,
    outputs: outputs(args),
    network: args.network,
    extraHosts: args.addHost.map(parseAddHost),
    noCacheFilter: args.noCacheFilter,
    buildContexts: Object.fromEntries(args.buildContext.map(namedContext)),
    secrets: args.secret.map((secret) => parseSecret(secret)),
    ssh: args.ssh.map(parseSsh),
    allow: args.allow,
    ulimits: args.ulimit.map(parseUlimit),
    cgroupParent: args.cgroupParent,
    shmSize: args.shmSize === undefined ? undefined : parseMemory(args.shmSize, "--shm-size"),
    resources: parseResources(args.resource.map((resource) => keyValue(resource, "--resource"))),
  };
}

function outputs({ output, load }: BuildArgs): readonly ExportSpec[] {
  const specs = output.map(parseOutput).map(loaded);
  const needsStore = load && specs.length > 0 && !specs.some(({ type }) => type === "image");
  return needsStore ? [...specs, { type: "image", attrs: {} }] : specs;
}

/** `type=docker` without a file loads the image, for Docker into its daemon and here into the image store. */
function loaded(spec: ExportSpec): ExportSpec {
  return spec.type === "docker" && spec.attrs["dest"] === undefined ? { type: "image", attrs: spec.attrs } : spec;
}

/** `NAME` alone takes the value of the environment, and is dropped when there is none. */
function fromEnvironment(text: string): readonly [string, string][] {
  if (text.includes("=")) return [keyValue(text, "--build-arg")];
  const value = process.env[text];
  return value === undefined ? [] : [[text, value]];
}

function namedContext(text: string): [string, string] {
  const [name, value] = keyValue(text, "--build-context");
  if (value !== "") return [name, value];
  throw usage(`Cannot read --build-context "${text}"`, "Write --build-context NAME=DIRECTORY, or docker-image://…, oci-layout://…, or a URL");
}
