import { TbuildError } from "../../cache/errors.js";
import type { Material } from "../attest/materials.js";
import { PROVENANCE } from "../attest/attestation.js";
import type { BuildRequest } from "../request.js";

/** What provenance says an image was built with. */
export interface ToldBuild {
  /** Options of BuildKit's frontend for Dockerfiles: "build-arg:A". */
  readonly args: Readonly<Record<string, string>>;
  /** Name of the Dockerfile, without its directory where the context was one of the builder's machine; null where it says none. */
  readonly dockerfile: string | null;
  readonly materials: readonly Material[];
  /** False when it leaves out arguments of the build, as `mode=min` does. */
  readonly complete: boolean;
}

/** What a provenance predicate of any version says; null for one that is none. Pure. Source: slsa.dev/spec/v1.0, slsa.dev/provenance/v0.2 */
export function readProvenance(predicateType: string, predicate: unknown): ToldBuild | null {
  if (!predicateType.startsWith(PROVENANCE)) return null;
  const isFirst = predicateType === `${PROVENANCE}v0.2`;
  const at = (...keys: readonly string[]) => keys.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | null | undefined)?.[key], predicate);
  const args = isFirst ? at("invocation", "parameters", "args") : at("buildDefinition", "externalParameters", "request", "args");
  const complete = isFirst ? at("metadata", "completeness", "parameters") : at("runDetails", "metadata", "buildkit_completeness", "request");
  const file = isFirst ? at("invocation", "configSource", "entryPoint") : at("buildDefinition", "externalParameters", "configSource", "path");
  return { args: texts(args), dockerfile: typeof file === "string" ? file : null, materials: materials(isFirst ? at("materials") : at("buildDefinition", "resolvedDependencies")), complete: complete !== false };
}

/** A predicate's or statement's JSON. @throws {TbuildError} corrupt */
export function parseSaid(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Readonly<Record<string, unknown>> | null;
  } catch (cause) {
    throw new TbuildError("corrupt", "Cannot read the image's provenance: it is no JSON", { hint: "--ignore-provenance does without it", cause });
  }
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function materials(value: unknown): readonly Material[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one: Partial<Material> | null): one is Material => typeof one?.uri === "string").map(({ uri, digest }) => ({ uri, digest: texts(digest) }));
}

/** A request, and what of it comes from provenance, one sentence each. */
export interface WithDefaults {
  readonly request: BuildRequest;
  readonly notes: readonly string[];
}

/**
 * The request with what provenance says where it says nothing itself. All that is taken is told with its value: whoever made the
 * image may have written its provenance. Rights are not taken. Pure.
 */
export function withDefaults(request: BuildRequest, { args, complete }: ToldBuild): WithDefaults {
  const buildArgs = missing(prefixed(args, "build-arg:"), request.buildArgs);
  const labels = missing(prefixed(args, "label:"), request.labels);
  const contexts = Object.entries(missing(prefixed(args, "context:"), request.buildContexts)).filter(([, value]) => /^[a-z][a-z0-9+.-]*:\/\//i.test(value));
  const options = optionsOf(args).filter(({ field }) => !isGiven(request[field]));
  const taken = [
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg ${name}=${value}`),
    ...Object.entries(labels).map(([name, value]) => `--label ${name}=${value}`),
    ...contexts.map(([name, value]) => `--build-context ${name}=${value}`),
    ...options.map(({ flag }) => flag),
  ];
  const notes = [
    ...(taken.length === 0 ? [] : [`From its provenance: ${taken.join(" ")}`]),
    ...(args["force-network-mode"] === "host" && request.network === undefined ? ["Its provenance says --network host: rights are not taken from there"] : []),
    ...(complete ? [] : ["Its provenance leaves out build arguments and labels: give those it was built with"]),
  ];
  return {
    request: {
      ...request,
      ...Object.fromEntries(options.map(({ field, value }) => [field, value])),
      buildArgs: { ...buildArgs, ...request.buildArgs },
      labels: { ...labels, ...request.labels },
      buildContexts: { ...Object.fromEntries(contexts), ...request.buildContexts },
    },
    notes,
  };
}

function prefixed(args: ToldBuild["args"], prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(args).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
}

function missing(told: Readonly<Record<string, string>>, given: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(told).filter(([name]) => !Object.hasOwn(given, name)));
}

/** A list that was not given is empty in a request of the command line. */
function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** An option as the command line has it, and the field of a request that it sets. */
interface ToldOption {
  readonly flag: string;
  readonly field: keyof BuildRequest;
  readonly value: unknown;
}

function optionsOf(args: ToldBuild["args"]): readonly ToldOption[] {
  const { target = "", hostname = "", "force-network-mode": network, "shm-size": shmSize = "", "add-hosts": hosts = "" } = args;
  const extraHosts = hosts.split(",").map((entry) => ({ host: entry.split("=")[0]!, ip: entry.slice(entry.indexOf("=") + 1) }));
  const all: readonly (ToldOption & { readonly isTold: boolean })[] = [
    { isTold: target !== "", flag: `--target ${target}`, field: "target", value: target },
    { isTold: hostname !== "", flag: `--hostname ${hostname}`, field: "hostname", value: hostname },
    { isTold: network === "none", flag: "--network none", field: "network", value: network },
    { isTold: /^\d+$/.test(shmSize), flag: `--shm-size ${shmSize}`, field: "shmSize", value: Number(shmSize) },
    { isTold: hosts !== "", flag: `--add-host ${hosts}`, field: "extraHosts", value: extraHosts },
  ];
  return all.filter(({ isTold }) => isTold);
}
