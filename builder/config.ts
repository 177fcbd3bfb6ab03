import { existsSync, readFileSync } from "node:fs";
import { TbuildError } from "../cache/errors.js";
import { defaultCdiDirs } from "./cdi/registry.js";
import { type DaemonConfig, daemonConfig } from "./daemonConfig.js";
import { lineRange, readTable, type ConfigText, type TableReader } from "./configReader.js";

/** Settings of tbuild.toml; the keys are those of buildkitd.toml. */
export interface TbuildConfig {
  /** By host as written in the file: "docker.io", "localhost:5000". */
  readonly registries: ReadonlyMap<string, RegistryConfig>;
  readonly worker: WorkerConfig;
  readonly cdi: CdiConfig;
  readonly daemon: DaemonConfig;
  readonly history: HistoryConfig;
  /** Keys that nothing reads, one sentence each. */
  readonly warnings: readonly string[];
}

/** Settings of `[history]`; null leaves one to its default. */
export interface HistoryConfig {
  /** Milliseconds. */
  readonly maxAgeMs: number | null;
  readonly maxEntries: number | null;
  /** Bytes of all that is recorded. */
  readonly maxBytes: number | null;
}

/** Settings of `[cdi]`. */
export interface CdiConfig {
  /** Directories of CDI specifications, the later being the stronger; none when devices are turned off. */
  readonly dirs: readonly string[];
}

/** How to reach one registry. Paths of files are as written. */
export interface RegistryConfig {
  /** Hosts, with an optional path, that are asked first and in order. */
  readonly mirrors: readonly string[];
  /** Plain HTTP; undefined leaves it to the default (HTTP as a fallback for this machine's registries). */
  readonly http: boolean | undefined;
  /** Accept any TLS certificate. */
  readonly insecure: boolean;
  /** PEM files of further certificate authorities. */
  readonly ca: readonly string[];
  /** PEM files of client certificates. */
  readonly keypairs: readonly { readonly key: string; readonly cert: string }[];
  /** Directories in Docker's form: *.crt, *.cert with *.key. */
  readonly tlsConfigDirs: readonly string[];
}

/** Settings of `[worker.oci]`. */
export interface WorkerConfig {
  /** False when the file turns it off. */
  readonly enabled: boolean;
  /** Of the worker, beside those that every worker has. */
  readonly labels: Readonly<Record<string, string>>;
  /** Instead of those that programs run for here; none: leave it at those. */
  readonly platforms: readonly string[];
  /** Steps at a time, of all builds; null: no limit within reason. */
  readonly maxParallelism: number | null;
  /** Steps of one build at a time; null: as many as of all. */
  readonly maxBuildParallelism: number | null;
  /** OCI runtime binary; null: runc. */
  readonly binary: string | null;
  readonly snapshotter: string | null;
  /** Bytes that a layer of an image may unpack to; null: the store's own limit. */
  readonly maxLayerSize: number | null;
  /** Bytes that the store may take, all of it; null: as many as there are. */
  readonly maxStoreSize: number | null;
  /** False turns automatic collection off. */
  readonly gc: boolean;
  readonly limits: SpaceLimits;
  readonly policies: readonly GcPolicy[];
}

/** What of a worker's settings is about collection. */
export type GcConfig = Pick<WorkerConfig, "gc" | "policies" | "limits">;

/** What collection keeps to. */
export interface SpaceLimits {
  readonly reserved: DiskSpace | null;
  readonly maxUsed: DiskSpace | null;
  readonly minFree: DiskSpace | null;
}

/** An amount of disk, as bytes or as a share (0 to 100) of the file system. */
export type DiskSpace =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "percent"; readonly percent: number };

/** One rule of collection, in the file's order. */
export interface GcPolicy extends SpaceLimits {
  readonly all: boolean;
  readonly filters: readonly string[];
  /** Milliseconds for which unused records are kept; null: no time of its own. */
  readonly keepDurationMs: number | null;
}

/** Where the file is when nothing names one. */
export const defaultConfigFile = "/etc/tbuild/tbuild.toml";

/**
 * Reads `path`, else $TBUILD_CONFIG, else {@link defaultConfigFile} if it exists, else nothing.
 * @throws {TbuildError} not_found for a file that was named, parse_failed with file and line
 */
export async function loadConfig(path?: string): Promise<TbuildConfig> {
  const named = path ?? (process.env["TBUILD_CONFIG"] || undefined);
  const file = named ?? defaultConfigFile;
  if (named === undefined && !existsSync(file)) return emptyConfig;
  return parseConfig({ file, text: readConfig(file) });
}

/** Configuration of this text. @throws {TbuildError} parse_failed with file and line */
export async function parseConfig(source: ConfigText): Promise<TbuildConfig> {
  const root = readTable(source, "", await parseToml(source));
  const registry = root.table("registry");
  const hosts = registry?.keys() ?? [];
  const registries = new Map(hosts.map((host) => [host, registryConfig(registry!.table(host)!)]));
  const worker = workerConfig(root.table("worker")?.table("oci"));
  return { registries, worker, cdi: cdiConfig(root.table("cdi")), daemon: daemonConfig(root), history: historyConfig(root.table("history")), warnings: root.finish() };
}

const emptyConfig: TbuildConfig = {
  registries: new Map(),
  worker: workerConfig(undefined),
  cdi: cdiConfig(undefined),
  daemon: daemonConfig(undefined),
  history: historyConfig(undefined),
  warnings: [],
};

function historyConfig(table: TableReader | undefined): HistoryConfig {
  const count = (value: unknown) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined);
  return {
    maxAgeMs: table?.scalar("maxAge", 'seconds or a duration such as "48h"', durationMs) ?? null,
    maxEntries: table?.scalar("maxEntries", "a number of builds", count) ?? null,
    maxBytes: table?.scalar("maxSize", 'bytes or a size such as "1GB"', byteSize) ?? null,
  };
}

function cdiConfig(table: TableReader | undefined): CdiConfig {
  const dirs = table?.texts("specDirs") ?? [];
  if (table?.bool("disabled") === true) return { dirs: [] };
  return { dirs: dirs.length === 0 ? defaultCdiDirs : dirs };
}

function registryConfig(table: TableReader): RegistryConfig {
  return {
    mirrors: table.texts("mirrors"),
    http: table.bool("http"),
    insecure: table.bool("insecure") ?? false,
    ca: table.texts("ca"),
    keypairs: table.tables("keypair").map((pair) => ({ key: pair.text("key") ?? "", cert: pair.text("cert") ?? "" })),
    tlsConfigDirs: table.texts("tlsconfigdir"),
  };
}

function workerConfig(table: TableReader | undefined): WorkerConfig {
  const limit = (key: string) => {
    const count = table?.integer(key) ?? 0;
    return count > 0 ? count : null;
  };
  return {
    enabled: table?.bool("enabled") ?? true,
    labels: labelsOf(table?.table("labels")),
    platforms: table?.texts("platforms") ?? [],
    maxParallelism: limit("max-parallelism"),
    maxBuildParallelism: limit("maxBuildParallelism"),
    binary: table?.text("binary") ?? null,
    snapshotter: table?.text("snapshotter") ?? null,
    maxLayerSize: table?.scalar("maxLayerSize", 'bytes or a size such as "10GB"', byteSize) ?? null,
    maxStoreSize: table?.scalar("maxStoreSize", 'bytes or a size such as "50GB"', byteSize) ?? null,
    gc: table?.bool("gc") ?? true,
    limits: spaceLimits(table, "gckeepstorage"),
    policies: (table?.tables("gcpolicy") ?? []).map(gcPolicy),
  };
}

function labelsOf(table: TableReader | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((table?.keys() ?? []).map((key) => [key, table!.text(key) ?? ""]));
}

function gcPolicy(table: TableReader): GcPolicy {
  return {
    ...spaceLimits(table, "keepBytes"),
    all: table.bool("all") ?? false,
    filters: table.texts("filters"),
    keepDurationMs: table.scalar("keepDuration", 'seconds or a duration such as "48h"', durationMs) ?? null,
  };
}

/** `oldKey` is BuildKit's former name of reservedSpace, which still counts when the new one is absent. */
function spaceLimits(table: TableReader | undefined, oldKey: string): SpaceLimits {
  const space = (key: string) => table?.scalar(key, 'bytes, a size such as "10GB" or a share such as "20%"', diskSpace) ?? null;
  const old = space(oldKey);
  return { reserved: space("reservedSpace") ?? old, maxUsed: space("maxUsedSpace"), minFree: space("minFreeSpace") };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

function diskSpace(value: unknown): DiskSpace | undefined {
  if (typeof value === "number") return { kind: "bytes", bytes: value };
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*(%|[kmgt]?i?b?)\s*$/i.exec(String(value)) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  if (unit === "%") return { kind: "percent", percent: Number(digits) };
  const factor = UNITS[unit.toLowerCase().replace(/b$/, "")];
  return factor === undefined ? undefined : { kind: "bytes", bytes: Math.floor(Number(digits) * factor) };
}

function byteSize(value: unknown): number | undefined {
  const space = diskSpace(value);
  return space?.kind === "bytes" && space.bytes > 0 ? space.bytes : undefined;
}

const MILLIS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(value: unknown): number | undefined {
  if (typeof value === "number") return value * 1000;
  const text = String(value);
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (MILLIS[unit!] ?? 0), 0);
}

async function parseToml({ file, text }: ConfigText): Promise<unknown> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "";
    throw new TbuildError(
      "parse_failed",
      `Cannot parse ${file}: ${reason}`,
      { at: lineRange(file, error.line, error.column), cause: error },
    );
  }
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new TbuildError(missing ? "not_found" : "unavailable", `Cannot read configuration file "${file}"`, { cause: error });
  }
}
