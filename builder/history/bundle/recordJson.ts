import { TbuildError } from "../../../cache/errors.js";
import type { BuildRecord } from "../../../cache/meta/records.js";
import type { Descriptor } from "../../../cache/oci/descriptor.js";
import { parseDigest } from "../../../cache/oci/digest.js";
import type { BuildHistoryRecord } from "../buildHistory.js";
import { CONTEXT_ATTR, shownCaches } from "../requestStart.js";

/** Media type of a record. Source: buildx, util/desktop/bundle/export.go */
export const RECORD_TYPE = "application/vnd.buildkit.historyrecord.v0";

interface Time {
  readonly seconds?: number;
  readonly nanos?: number;
}

interface BlobJson {
  readonly media_type?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface ResultJson {
  readonly Attestations?: readonly BlobJson[];
}

/** A record as Go writes it as JSON; what is empty is left out. */
export interface RecordJson {
  readonly Ref?: string;
  readonly Frontend?: string;
  readonly FrontendAttrs?: Readonly<Record<string, string>>;
  readonly Exporters?: readonly { readonly Type?: string; readonly Attrs?: Readonly<Record<string, string>> }[];
  readonly error?: { readonly code?: number; readonly message?: string };
  readonly CreatedAt?: Time;
  readonly CompletedAt?: Time;
  readonly logs?: BlobJson;
  readonly ExporterResponse?: Readonly<Record<string, string>>;
  readonly Result?: ResultJson;
  readonly Results?: Readonly<Record<string, ResultJson>>;
  readonly trace?: BlobJson;
  readonly numCachedSteps?: number;
  readonly numTotalSteps?: number;
  readonly numCompletedSteps?: number;
  readonly externalError?: BlobJson;
  readonly numWarnings?: number;
  readonly DefaultPlatform?: string;
  /** Directories on the machine of the build. */
  readonly localState?: { readonly Target?: string; readonly LocalPath?: string; readonly DockerfilePath?: string };
}

/** Blobs by what they are to a record. */
export interface RecordBlobs {
  readonly trace: Descriptor | null;
  readonly logs: Descriptor | null;
  readonly error: Descriptor | null;
  readonly said: NonNullable<BuildRecord["attestations"]>;
}

/** A record for others, without the passwords of caches. `blobs` are those that go with it. */
export function recordToJson(record: BuildHistoryRecord, blobs: RecordBlobs): RecordJson {
  const { [CONTEXT_ATTR]: directory, ...attrs } = record.frontendAttrs;
  const caches = attrs["cache-imports"];
  const { error } = record;
  return {
    Ref: record.ref,
    Frontend: record.frontend,
    FrontendAttrs: caches === undefined ? attrs : { ...attrs, "cache-imports": shownCaches(caches) },
    Exporters: record.exporters.map(({ type, attrs: given }) => ({ Type: type, Attrs: given })),
    ...(error === null ? {} : { error: { code: error.code, message: error.message } }),
    CreatedAt: timeJson(record.createdAt),
    CompletedAt: timeJson(record.completedAt),
    ...optional("logs", blobs.logs),
    ExporterResponse: record.exporterResponse,
    ...resultsJson(blobs.said),
    ...optional("trace", blobs.trace),
    numCachedSteps: record.numCachedSteps,
    numTotalSteps: record.numTotalSteps,
    numCompletedSteps: record.numCompletedSteps,
    ...optional("externalError", blobs.error),
    numWarnings: record.numWarnings,
    ...(directory === undefined ? {} : { localState: { Target: attrs["target"] ?? "default", LocalPath: directory, DockerfilePath: attrs["filename"] ?? "" } }),
  };
}

function optional(name: string, blob: Descriptor | null): object {
  return blob === null ? {} : { [name]: blobJson(blob) };
}

function blobJson({ mediaType, digest, size, annotations }: Descriptor): BlobJson {
  return { media_type: mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) };
}

function resultsJson(said: RecordBlobs["said"]): Pick<RecordJson, "Result" | "Results"> {
  const of = (wanted: string): ResultJson => ({ Attestations: said.flatMap(({ platform, blob }) => (platform === wanted ? [blobJson(blob)] : [])) });
  const platforms = [...new Set(said.map(({ platform }) => platform))];
  return {
    ...(platforms.includes("") ? { Result: of("") } : {}),
    ...(platforms.some((platform) => platform !== "") ? { Results: Object.fromEntries(platforms.flatMap((platform) => (platform === "" ? [] : [[platform, of(platform)]]))) } : {}),
  };
}

/** Attestations alone: what was exported is not in the file, or without its parts. */
function saidIn({ Result, Results = {} }: RecordJson): RecordBlobs["said"] {
  const infos = [["", Result] as const, ...Object.entries(Results)];
  return infos.flatMap(([platform, info]) =>
    (info?.Attestations ?? []).flatMap((json) => {
      const blob = blobFrom(json);
      return blob === null ? [] : [{ platform, blob: { ...blob, annotations: textsOf(json.annotations) } }];
    }),
  );
}

function timeJson(ms: number | null): Time {
  const at = ms ?? 0;
  return { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 };
}

/** A record of others, kept until somebody removes it. @throws {TbuildError} corrupt, invalid_digest */
export function recordFromJson(json: RecordJson): BuildRecord {
  const { Ref: ref = "", localState, error } = json;
  if (!/^[\w.-]{1,128}$/.test(ref)) throw new TbuildError("corrupt", "Cannot read the record of a build: it has no ref");
  const local = localState?.LocalPath ?? "";
  const trace = blobFrom(json.trace);
  return {
    ref,
    frontend: json.Frontend ?? "",
    frontendAttrs: { ...textsOf(json.FrontendAttrs), ...(local === "" ? {} : { [CONTEXT_ATTR]: local }) },
    exporters: (json.Exporters ?? []).map(({ Type = "", Attrs = {} }) => ({ type: Type, attrs: textsOf(Attrs) })),
    createdAt: timeFrom(json.CreatedAt),
    completedAt: timeFrom(json.CompletedAt),
    error: error === undefined ? null : { code: error.code ?? 0, message: error.message ?? "" },
    errorDetails: blobFrom(json.externalError),
    logs: blobFrom(json.logs),
    ...(trace === null ? {} : { trace }),
    exporterResponse: textsOf(json.ExporterResponse),
    results: [],
    attestations: saidIn(json),
    steps: { total: json.numTotalSteps ?? 0, completed: json.numCompletedSteps ?? 0, cached: json.numCachedSteps ?? 0, warnings: json.numWarnings ?? 0 },
    pinned: true,
    generation: 0,
  };
}

function blobFrom(json: BlobJson | undefined): Descriptor | null {
  return json?.digest === undefined ? null : { mediaType: json.media_type ?? "", digest: parseDigest(json.digest), size: json.size ?? 0 };
}

/** The file may have been made by anybody. */
function textsOf(values: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function timeFrom({ seconds = 0, nanos = 0 }: Time = {}): number {
  return seconds * 1000 + Math.floor(nanos / 1e6);
}
