import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { RegistryConfig } from "../config.js";
import type { TlsSettings } from "./http.js";

/** One server that may hold the images of a registry. */
export interface Endpoint {
  /** Host with port: "registry-1.docker.io", "127.0.0.1:5000". */
  readonly host: string;
  /** "/v2", or "/v2/<path>" for a mirror that serves below a path. */
  readonly prefix: string;
  /** `fallback`: HTTPS first, HTTP when the server does not speak TLS. */
  readonly scheme: "https" | "http" | "fallback";
  /** Registry whose content a mirror is asked for; null for the registry itself. */
  readonly mirrorOf: string | null;
}

/** Registries of the configuration by host. */
export type RegistryConfigs = ReadonlyMap<string, RegistryConfig>;

/** Servers to ask for images of `registry` ("docker.io"): mirrors in order, then the registry itself. Pure. */
export function endpointsOf(registry: string, configs: RegistryConfigs): readonly Endpoint[] {
  const mirrors = (configs.get(registry)?.mirrors ?? []).map((mirror) => mirrorEndpoint(mirror, registry, configs));
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return [...mirrors, { host, prefix: "/v2", scheme: schemeOf(host, configs.get(registry)), mirrorOf: null }];
}

/**
 * TLS settings of a host, files read. A registry of this machine needs no certificate that anybody signed, unless
 * the configuration says which. @throws {TbuildError} not_found when a named file is missing
 */
export function tlsSettings(host: string, configs: RegistryConfigs): TlsSettings | undefined {
  const config = configs.get(host === "registry-1.docker.io" ? "docker.io" : host);
  const trusting = config?.insecure === true || schemeOf(host, config) === "fallback";
  if (config === undefined) return trusting ? { rejectUnauthorized: false, ca: [], certs: [] } : undefined;
  const found = config.tlsConfigDirs.map(certificatesIn);
  const ca = [...config.ca, ...found.flatMap((dir) => dir.ca)].map(readPem);
  const pairs = [...config.keypairs, ...found.flatMap((dir) => dir.pairs)];
  const certs = pairs.map(({ key, cert }) => ({ key: readPem(key), cert: readPem(cert) }));
  return { rejectUnauthorized: !trusting, ca, certs };
}

/** The configuration with which a registry is reached whatever it speaks: any certificate, and plain HTTP without one. Pure. */
export function insecurely(registry: string, configs: RegistryConfigs): RegistryConfigs {
  const key = registry === "registry-1.docker.io" ? "docker.io" : registry;
  const config = configs.get(key) ?? { mirrors: [], ca: [], keypairs: [], tlsConfigDirs: [] };
  return new Map(configs).set(key, { ...config, http: true, insecure: true });
}

/** The configuration with which a registry is asked and none of its mirrors. Pure. */
export function unmirrored(registry: string, configs: RegistryConfigs): RegistryConfigs {
  const config = configs.get(registry);
  return config === undefined ? configs : new Map(configs).set(registry, { ...config, mirrors: [] });
}

function mirrorEndpoint(mirror: string, registry: string, configs: RegistryConfigs): Endpoint {
  const [, scheme, rest] = /^(?:(https?):\/\/)?(.*?)\/*$/.exec(mirror) as RegExpExecArray;
  const slash = rest!.indexOf("/");
  const host = slash < 0 ? rest! : rest!.slice(0, slash);
  const prefix = slash < 0 ? "/v2" : `/v2${rest!.slice(slash)}`;
  return {
    host,
    prefix,
    scheme: (scheme as "http" | "https" | undefined) ?? schemeOf(host, configs.get(host)),
    mirrorOf: registry,
  };
}

function schemeOf(host: string, config: RegistryConfig | undefined): Endpoint["scheme"] {
  if (config?.http === true) return config.insecure ? "fallback" : "http";
  const verified = config !== undefined && (config.ca.length > 0 || config.tlsConfigDirs.length > 0);
  return config?.http === undefined && !verified && isLocalHost(host) ? "fallback" : "https";
}

function isLocalHost(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

function certificatesIn(dir: string): { ca: readonly string[]; pairs: readonly { key: string; cert: string }[] } {
  const names = listed(dir);
  const ca = names.filter((name) => name.endsWith(".crt")).map((name) => path.join(dir, name));
  const certs = names.filter((name) => name.endsWith(".cert")).map((name) => path.join(dir, name));
  return { ca, pairs: certs.map((cert) => ({ cert, key: cert.replace(/\.cert$/, ".key") })) };
}

/** As Docker has it, a directory that is absent or closed to us holds no certificates. */
function listed(dir: string): readonly string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TbuildError("not_found", `Cannot read certificate or key "${file}"`, { cause: error });
  }
}
