import { isIP } from "node:net";
import type { ExportSpec } from "../builder/exporter/exporter.js";
import type { BuildRequest } from "../builder/request.js";
import { parsePlatform } from "../cache/oci/platform.js";
import { parseReference } from "../cache/oci/reference.js";
import type { BuildArgs } from "./args/build.js";
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
    extraHosts: args.addHost.map(extraHost),
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

function keyValue(text: string, flag: string): [string, string] {
  const at = text.indexOf("=");
  const key = at < 0 ? text : text.slice(0, at);
  if (key === "") throw usage(`Cannot read ${flag} "${text}"`, `Write ${flag} NAME=VALUE`);
  return [key, at < 0 ? "" : text.slice(at + 1)];
}

function extraHost(text: string): { readonly host: string; readonly ip: string } {
  const [, host = "", address = ""] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  if (host === "") throw usage(`Cannot read --add-host "${text}"`, "Write --add-host NAME:IP");
  const ip = address.replace(/^\[(.*)\]$/, "$1");
  if (isIP(ip) === 0) {
    throw usage(`Cannot use "${address}" for --add-host ${host}: it is no IP address`, "Write --add-host NAME:IP");
  }
  return { host, ip };
}
