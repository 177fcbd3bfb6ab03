import { formatPlatform, hostPlatform } from "../../cache/oci/platform.js";
import type { BuildConfig, SourceRecord } from "./buildConfig.js";
import type { Capture } from "./capture.js";
import { findMaterial, type Material, materialsOf } from "./materials.js";
import { type Parameters, type RequestRecord, requestRecord, scrubbed, withoutLogin } from "./request.js";

/** Version of a predicate: `https://slsa.dev/provenance/VERSION`. */
export type SlsaVersion = "v1" | "v0.2";

/** All that provenance is made of. */
export interface ProvenanceRecord {
  readonly capture: Capture;
  /** The frontend's name and options; "" and none for a graph that no frontend has made. */
  readonly frontend: string;
  readonly args: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, RequestRecord>>;
  readonly root: RequestRecord | null;
  readonly builderId: string;
  readonly invocationId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** As the user claims. */
  readonly reproducible: boolean;
  readonly mode: "min" | "max";
  /** The rest is for mode=max. */
  readonly buildConfig: BuildConfig | null;
  readonly source: SourceRecord | null;
  /** Layer blobs by "STEP:OUTPUT". */
  readonly layers: Readonly<Record<string, readonly (readonly object[])[]>>;
  /** Of the built-in frontend for Dockerfiles; "" is none. */
  readonly dockerfileVersion: string;
  /** Of whoever runs the builder. */
  readonly environment: Readonly<Record<string, unknown>>;
}

/** What both versions tell, in one form. */
interface Told {
  readonly config: RequestRecord["configSource"];
  readonly request: Parameters;
  readonly complete: boolean;
  readonly materials: readonly Material[];
  readonly internal: Readonly<Record<string, unknown>>;
  readonly metadata: object;
  readonly isMaterialComplete: boolean;
  readonly isHermetic: boolean;
}

/** A SLSA provenance predicate. Pure. Source: BuildKit, solver/llbsolver/provenance/predicate.go; slsa.dev/spec/v1.0/provenance. */
export function provenancePredicate(record: ProvenanceRecord, version: SlsaVersion): object {
  const told = tellOf(record);
  return version === "v1" ? predicateV1(record, told) : predicateV02(record, told);
}

function tellOf(record: ProvenanceRecord): Told {
  const { capture, frontend, args, inputs, root, mode, buildConfig, dockerfileVersion, environment, source, layers } = record;
  const plain = requestRecord(frontend, args, (url) => findMaterial(capture, url));
  const vcs = vcsOf(plain.request?.args ?? {});
  const asked = withKeys({ ...plain.request, ...present("args", vcs.args), ...present("inputs", inputs), ...(root === null ? {} : { root }) }, capture);
  const { request, complete } = mode === "min" ? scrubbed(asked) : { request: asked, complete: true };
  const isMaterialComplete = !capture.incomplete && capture.locals.length === 0;
  return {
    config: plain.configSource,
    request,
    complete: complete && frontend !== "",
    materials: materialsOf(capture),
    internal: { ...environment, ...(dockerfileVersion === "" ? {} : { dockerfileVersion }), ...(buildConfig === null ? {} : { buildConfig }) },
    metadata: { ...present("vcs", vcs.vcs), ...(source === null ? {} : { source }), ...present("layers", layers) },
    isMaterialComplete,
    isHermetic: isMaterialComplete && !capture.network,
  };
}

function withKeys(request: Parameters, { secrets, ssh, locals }: Capture): Parameters {
  return {
    ...request,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(ssh.length === 0 ? {} : { ssh }),
    ...(locals.length === 0 ? {} : { locals: locals.map((name) => ({ name })) }),
  };
}

function present<K extends string, T extends object>(key: K, value: T): { readonly [P in K]?: T } {
  return (Object.keys(value).length === 0 ? {} : { [key]: value }) as { readonly [P in K]?: T };
}

/** Options `vcs:*` tell of where the sources came from, and are no arguments. */
function vcsOf(args: Readonly<Record<string, string>>): { readonly args: Readonly<Record<string, string>>; readonly vcs: Readonly<Record<string, string>> } {
  const entries = Object.entries(args);
  const own = entries.filter(([key, value]) => key.startsWith("vcs:") && value !== "");
  return {
    args: Object.fromEntries(entries.filter(([key]) => !key.startsWith("vcs:"))),
    vcs: Object.fromEntries(own.map(([key, value]) => [key.slice("vcs:".length), key === "vcs:source" ? withoutLogin(value) : value])),
  };
}

const BUILD_TYPE_V1 = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";
const BUILD_TYPE_V02 = "https://mobyproject.org/buildkit@v1";

function predicateV1({ builderId, invocationId, startedAt, finishedAt, reproducible }: ProvenanceRecord, told: Told): object {
  return {
    buildDefinition: {
      buildType: BUILD_TYPE_V1,
      externalParameters: { configSource: told.config, request: told.request },
      internalParameters: { ...told.internal, builderPlatform: formatPlatform(hostPlatform()) },
      ...(told.materials.length === 0 ? {} : { resolvedDependencies: told.materials }),
    },
    runDetails: {
      builder: { id: builderId },
      metadata: {
        invocationId,
        startedOn: time(startedAt),
        finishedOn: time(finishedAt),
        buildkit_metadata: told.metadata,
        ...(told.isHermetic ? { buildkit_hermetic: true } : {}),
        buildkit_completeness: { request: told.complete, resolvedDependencies: told.isMaterialComplete },
        ...(reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

function predicateV02({ builderId, invocationId, startedAt, finishedAt, reproducible }: ProvenanceRecord, told: Told): object {
  const { buildConfig, ...environment } = told.internal;
  const { path, ...source } = told.config;
  return {
    builder: { id: builderId },
    buildType: BUILD_TYPE_V02,
    ...(told.materials.length === 0 ? {} : { materials: told.materials }),
    invocation: {
      configSource: { ...source, ...(path === undefined ? {} : { entryPoint: path }) },
      parameters: told.request,
      environment: { ...environment, platform: formatPlatform(hostPlatform()) },
    },
    ...(buildConfig === undefined ? {} : { buildConfig }),
    metadata: {
      buildInvocationID: invocationId,
      buildStartedOn: time(startedAt),
      buildFinishedOn: time(finishedAt),
      completeness: { parameters: told.complete, environment: true, materials: told.isMaterialComplete },
      reproducible,
      [`${BUILD_TYPE_V02}#metadata`]: told.metadata,
      ...(told.isHermetic ? { [`${BUILD_TYPE_V02}#hermetic`]: true } : {}),
    },
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
