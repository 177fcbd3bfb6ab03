import path from "node:path";
import type { BuildRequest } from "../request.js";

/**
 * A request in the words of BuildKit's frontend for Dockerfiles, as provenance tells it. Paths of this machine are no part of it.
 * Source: BuildKit, frontend/dockerui/config.go.
 */
export function requestArgs(request: Omit<BuildRequest, "stdin">): Readonly<Record<string, string>> {
  const { buildArgs = {}, labels = {}, buildContexts = {}, target, dockerfile, noCache, noCacheFilter = [], extraHosts = [] } = request;
  const { network, hostname, shmSize, ulimits = [] } = request;
  return {
    ...prefixed("build-arg:", buildArgs),
    ...prefixed("label:", labels),
    ...prefixed("context:", Object.fromEntries(Object.entries(buildContexts).map(([name, value]) => [name, isPlace(value) ? value : `local:${name}`]))),
    ...(isPlace(request.context) ? { context: request.context } : {}),
    filename: path.basename(dockerfile ?? "Dockerfile"),
    ...(target === undefined ? {} : { target }),
    ...(noCache === true ? { "no-cache": "" } : noCacheFilter.length === 0 ? {} : { "no-cache": noCacheFilter.join(",") }),
    ...(extraHosts.length === 0 ? {} : { "add-hosts": extraHosts.map(({ host, ip }) => `${host}=${ip}`).join(",") }),
    ...(network === undefined || network === "default" ? {} : { "force-network-mode": network }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(shmSize === undefined ? {} : { "shm-size": String(shmSize) }),
    ...(ulimits.length === 0 ? {} : { ulimit: ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`).join(",") }),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

/** True for what has a meaning on other machines too. */
function isPlace(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[\w-]+@[\w.-]+:/.test(text);
}
