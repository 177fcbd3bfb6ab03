import { isIP } from "node:net";
import { TbuildError } from "../../../cache/errors.js";
import { parsePlatform } from "../../../cache/oci/platform.js";
import type { LinuxResources } from "../../../solver/llb/op.js";
import type { BuildRequest } from "../../request.js";

/** What a client tells a frontend: keys and values of BuildKit's `FrontendOpt`. */
export type FrontendOpt = Readonly<Record<string, string>>;

/** The part of a build request that a frontend's options stand for. */
export type FrontendRequest = Pick<
  BuildRequest,
  | "target" | "buildArgs" | "labels" | "platforms" | "noCache" | "noCacheFilter" | "pull" | "extraHosts" | "network"
  | "cgroupParent" | "shmSize" | "ulimits" | "resources" | "hostname"
>;

/**
 * Reads the options of the Dockerfile frontend. Source: BuildKit frontend/dockerui/config.go and attr.go.
 * @throws {TbuildError} invalid_argument, unsupported
 */
export function requestOf(opt: FrontendOpt): FrontendRequest {
  refuseRemoved(opt);
  const noCache = opt["no-cache"];
  return {
    target: optional(opt["target"]),
    buildArgs: { ...multiPlatform(opt), ...withPrefix(opt, "build-arg:") },
    labels: withPrefix(opt, "label:"),
    platforms: list(opt["platform"]).map((text) => parsePlatform(text)),
    noCache: noCache === "",
    noCacheFilter: list(noCache),
    pull: resolveMode(opt) === "pull",
    extraHosts: list(opt["add-hosts"]).map(extraHost),
    network: network(opt),
    hostname: optional(opt["hostname"]),
    cgroupParent: optional(opt["cgroup-parent"]),
    shmSize: integer(opt, "shm-size", 0),
    ulimits: list(opt["ulimit"]).map(ulimit),
    resources: resources(opt),
  };
}

/** Options whose name begins with `prefix`, without it. */
export function withPrefix(opt: FrontendOpt, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(opt).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
}

function refuseRemoved(opt: FrontendOpt): void {
  if ((opt["override-copy-image"] ?? "") !== "") throw removed("override-copy-image");
  if (/^(?:1|t|true)$/i.test(opt["build-arg:BUILDKIT_DISABLE_FILEOP"] ?? "")) throw removed("BUILDKIT_DISABLE_FILEOP");
}

function removed(name: string): TbuildError {
  return new TbuildError("unsupported", `Cannot build with "${name}": it was removed in BuildKit 0.11`);
}

/** The build argument comes before the option of the same meaning. */
function multiPlatform(opt: FrontendOpt): Readonly<Record<string, string>> {
  const value = opt["multi-platform"] ?? "";
  return value === "" ? {} : { BUILDKIT_MULTI_PLATFORM: value };
}

function optional(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function list(value: string | undefined): readonly string[] {
  return value === undefined || value === "" ? [] : value.split(",").map((item) => item.trim().replace(/^"(.*)"$/, "$1"));
}

function resolveMode(opt: FrontendOpt): "default" | "pull" | "local" {
  const mode = optional(opt["image-resolve-mode"]) ?? "default";
  if (mode === "default" || mode === "pull" || mode === "local") return mode;
  throw invalid("image-resolve-mode", mode, "default, pull or local");
}

function network(opt: FrontendOpt): FrontendRequest["network"] {
  const mode = optional(opt["force-network-mode"]) ?? "sandbox";
  if (mode === "none" || mode === "host") return mode;
  if (mode === "sandbox") return "default";
  throw invalid("force-network-mode", mode, "none, host or sandbox");
}

function extraHost(text: string): { readonly host: string; readonly ip: string } {
  const [, host = "", ip = ""] = /^([^=]+)=(.*)$/.exec(text.toLowerCase()) ?? [];
  if (host === "" || isIP(ip) === 0) throw invalid("add-hosts", text, "HOST=IP");
  return { host, ip };
}

function ulimit(text: string): { readonly name: string; readonly soft: number; readonly hard: number } {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined || soft === undefined) throw invalid("ulimit", text, "NAME=SOFT[:HARD]");
  return { name, soft: Number(soft), hard: Number(hard ?? soft) };
}

function resources(opt: FrontendOpt): Partial<LinuxResources> | undefined {
  const given: Partial<LinuxResources> = {
    ...numeric(opt, "memory", "memory"),
    ...numeric(opt, "memorySwap", "memswap", -1),
    ...numeric(opt, "cpuShares", "cpushares"),
    ...numeric(opt, "cpuPeriod", "cpuperiod"),
    ...numeric(opt, "cpuQuota", "cpuquota"),
    ...cpuset(opt, "cpusetCpus", "cpusetcpus"),
    ...cpuset(opt, "cpusetMems", "cpusetmems"),
  };
  return Object.keys(given).length === 0 ? undefined : given;
}

function numeric<K extends keyof LinuxResources>(opt: FrontendOpt, name: K, key: string, least = 1): Partial<Record<K, number>> {
  const value = integer(opt, key, least);
  if (value === 0) throw invalid(key, "0", "more than 0");
  return value === undefined ? {} : ({ [name]: value } as Record<K, number>);
}

function cpuset<K extends keyof LinuxResources>(opt: FrontendOpt, name: K, key: string): Partial<Record<K, string>> {
  const value = optional(opt[key]);
  if (value === undefined) return {};
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(value)) throw invalid(key, value, "a list such as 0-3,5");
  return { [name]: value } as Record<K, string>;
}

function integer(opt: FrontendOpt, key: string, least: number): number | undefined {
  const text = optional(opt[key]);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || value < least) throw invalid(key, text, `a number of at least ${least}`);
  return value;
}

function invalid(key: string, value: string, expected: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use the option "${key}=${value}": it must be ${expected}`);
}

/** Option of clients that are tbuild: the time in seconds of all that the build itself writes; "": the base image's; "context": that of the context. */
const EPOCH = "tbuild.epoch";

/** True when files and config are to carry the build's own time, as in a tbuild without a daemon. */
export function asksEpoch(opt: FrontendOpt): boolean {
  return opt[EPOCH] !== undefined;
}

/** The time that the client asks for; "context": that of the context. Null when it names none. @throws {TbuildError} invalid_argument */
export function askedEpoch(opt: FrontendOpt): number | null | "context" {
  if (opt[EPOCH] === "context") return "context";
  return optional(opt[EPOCH]) === undefined ? null : integer(opt, EPOCH, 0)!;
}
