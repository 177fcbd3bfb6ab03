import { type Annotation, annotationAttribute } from "../builder/image/annotations.js";
import type { ExportSpec } from "../builder/exporter/exporter.js";
import type { SourceRules } from "../builder/policy/policy.js";
import { readPolicyFile } from "../builder/policy/readPolicyFile.js";
import type { BuildRequest } from "../builder/request.js";
import { parseReference } from "../cache/oci/reference.js";
import type { BuildArgs } from "./args/build.js";
import { parseAddHost } from "./flags/addHost.js";
import { parseAttest } from "./flags/attest.js";
import { parseAnnotationFlag } from "./flags/annotation.js";
import { parseCaches } from "./flags/caches.js";
import { keyValue } from "./flags/keyValue.js";
import { parseMemory, parseResources, parseUlimit } from "./flags/limits.js";
import { parsePlatforms } from "./flags/platform.js";
import { parseSecret } from "./flags/secret.js";
import { parseSsh } from "./flags/ssh.js";
import { parseOutput } from "./outputs.js";
import { usage } from "./usage.js";

/** What `--load` loads an image into: the running Docker engine, or the image store alone when there is none. */
export type LoadTarget = "engine" | "store";

/** The request that a command line stands for. @throws {TbuildError} usage, invalid_reference, invalid_argument */
export function buildRequest(args: BuildArgs, loadInto: LoadTarget): BuildRequest {
  for (const tag of args.tag) parseReference(tag);
  return {
    context: args.context,
    dockerfile: args.file,
    tags: args.tag,
    target: args.target,
    buildArgs: Object.fromEntries(args.buildArg.flatMap(fromEnvironment)),
    labels: Object.fromEntries(args.label.map((label) => keyValue(label, "--label"))),
    platforms: parsePlatforms(args.platform),
    noCache: args.noCache,
    pull: args.pull,
    outputs: outputs(args, loadInto),
    network: args.network,
    extraHosts: args.addHost.map(parseAddHost),
    noCacheFilter: args.noCacheFilter,
    cacheFrom: args.cacheFrom.flatMap((text) => parseCaches(text, "--cache-from")),
    cacheTo: args.cacheTo.flatMap((text) => parseCaches(text, "--cache-to")),
    buildContexts: Object.fromEntries(args.buildContext.map(namedContext)),
    secrets: args.secret.map((secret) => parseSecret(secret)),
    ssh: args.ssh.map(parseSsh),
    sourcePolicies: sourcePolicies(args.sourcePolicyFile ?? process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"]),
    lock: args.lock === undefined ? undefined : { mode: args.lock, file: args.lockfile },
    allow: args.allow,
    ulimits: args.ulimit.map(parseUlimit),
    cgroupParent: args.cgroupParent,
    shmSize: args.shmSize === undefined ? undefined : parseMemory(args.shmSize, "--shm-size"),
    attest: parseAttest(args),
    resources: parseResources(args.resource.map((resource) => keyValue(resource, "--resource"))),
  };
}

function sourcePolicies(file: string | undefined): readonly SourceRules[] {
  return file === undefined || file === "" ? [] : [readPolicyFile(file)];
}

function outputs({ output, push, load, annotation }: BuildArgs, loadInto: LoadTarget): readonly ExportSpec[] {
  const asked = output.map(parseOutput);
  const specs = annotated(push ? pushed(asked) : asked, annotation.flatMap((text) => parseAnnotationFlag(text)));
  return load ? loaded(specs, loadInto) : specs;
}

/** An image that is loaded is in the image store as well. */
function loaded(specs: readonly ExportSpec[], into: LoadTarget): readonly ExportSpec[] {
  const stored: readonly ExportSpec[] = specs.some(isImage) ? specs : [...specs, { type: "image", attrs: {} }];
  return into === "store" ? stored : [...stored, { type: "docker", attrs: {} }];
}

/** Files alone have nowhere to put annotations. */
function annotated(specs: readonly ExportSpec[], annotations: readonly Annotation[]): readonly ExportSpec[] {
  if (annotations.length === 0) return specs;
  const attrs = Object.fromEntries(annotations.map((one) => [annotationAttribute(one), one.value]));
  const outputs: readonly ExportSpec[] = specs.length === 0 ? [{ type: "image", attrs: {} }] : specs;
  if (outputs.every(({ type }) => !hasManifest(type))) throw usage("Cannot annotate the result: no output is an image", "Use type=oci");
  return outputs.map((spec) => (hasManifest(spec.type) ? { ...spec, attrs: { ...spec.attrs, ...attrs } } : spec));
}

function hasManifest(type: ExportSpec["type"]): boolean {
  return type !== "local" && type !== "tar" && type !== "cacheonly";
}

/** `--push` is for the outputs that are images, and else an image besides the outputs. */
function pushed(specs: readonly ExportSpec[]): readonly ExportSpec[] {
  if (!specs.some(isImage)) return [...specs, { type: "registry", attrs: {} }];
  return specs.map((spec) => (isImage(spec) ? { ...spec, attrs: { ...spec.attrs, push: "true" } } : spec));
}

function isImage({ type }: ExportSpec): boolean {
  return type === "image" || type === "registry";
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
