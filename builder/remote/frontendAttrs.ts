import { formatPlatform } from "../../cache/oci/platform.js";
import { joinCsv } from "../../frontend/dockerfile/csv.js";
import type { LinuxResources } from "../../solver/llb/op.js";
import type { AttestSpecs } from "../attest/options.js";
import type { CacheSpec } from "../cacheio/specs.js";
import type { BuildRequest } from "../request.js";

/** What a frontend on a builder is told: keys and values of BuildKit's `FrontendOpt`. */
export type FrontendAttrs = Readonly<Record<string, string>>;

const RESOURCES: { readonly [K in keyof LinuxResources]: string } = {
  memory: "memory",
  memorySwap: "memswap",
  cpuShares: "cpushares",
  cpuPeriod: "cpuperiod",
  cpuQuota: "cpuquota",
  cpusetCpus: "cpusetcpus",
  cpusetMems: "cpusetmems",
};

/** The part of a request that is not about files of this machine. Source: buildx, build/opt.go. */
export function frontendAttrs(request: BuildRequest): FrontendAttrs {
  const { target, platforms = [], noCache, noCacheFilter = [], pull, network, extraHosts = [], ulimits = [], shmSize, cgroupParent, hostname } = request;
  return present({
    ...prefixed("build-arg:", { ...epochOfEnvironment(), ...request.buildArgs }),
    ...prefixed("label:", request.labels ?? {}),
    target,
    platform: joined(platforms.map(formatPlatform)),
    "no-cache": noCache === true ? "" : joined(noCacheFilter),
    "image-resolve-mode": pull === true ? "pull" : undefined,
    "force-network-mode": network === "default" ? undefined : network,
    "add-hosts": joined(extraHosts.map(({ host, ip }) => `${host}=${ip}`)),
    ulimit: joined(ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`)),
    "shm-size": shmSize?.toString(),
    "cgroup-parent": cgroupParent,
    hostname,
    ...attestAttrs(request.attest ?? {}),
    "cache-imports": cacheImports(request.cacheFrom ?? []),
    ...Object.fromEntries(Object.entries(request.resources ?? {}).map(([name, value]) => [RESOURCES[name as keyof LinuxResources], String(value)])),
  });
}

function attestAttrs(specs: AttestSpecs): FrontendAttrs {
  return Object.fromEntries(Object.entries(specs).map(([type, attrs]) => [`attest:${type}`, joinCsv(Object.entries(attrs).map(([key, value]) => `${key}=${value}`))]));
}

/** Source: BuildKit, client/solve.go. */
function cacheImports(caches: readonly CacheSpec[]): string | undefined {
  return caches.length === 0 ? undefined : JSON.stringify(caches.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })));
}

/** As buildx does it; a build argument of the user's comes before. */
function epochOfEnvironment(): Readonly<Record<string, string>> {
  const epoch = process.env["SOURCE_DATE_EPOCH"] ?? "";
  return epoch === "" ? {} : { SOURCE_DATE_EPOCH: epoch };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): FrontendAttrs {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function joined(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(",");
}

function present(values: Readonly<Record<string, string | undefined>>): FrontendAttrs {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
