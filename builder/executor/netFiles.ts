import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { digestOf, hexOf } from "../../cache/oci/digest.js";

/** Name → address lines that a step's /etc/hosts gets. */
export type ExtraHosts = readonly { readonly host: string; readonly ip: string }[];

/**
 * The address in `--add-host NAME:host-gateway`, which a Docker daemon replaces by that of its bridge. Steps share the
 * network of this machine, so that it is the loopback's: it reaches what listens there only, and on all addresses.
 * A step with `--network=none` has a loopback of its own, on which nobody answers; it has no other way to the host.
 */
const HOST_GATEWAY = "host-gateway";
const LOOPBACK = "127.0.0.1";

/** Writes the /etc/hosts of a container below `dir`; equal content shares one file. Returns its path. */
export function hostsFile(dir: string, hostname: string, extra: ExtraHosts): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    `127.0.0.1\t${hostname}`,
    ...extra.map(({ host, ip }) => `${ip === HOST_GATEWAY ? LOOPBACK : ip}\t${host}`),
  ];
  return sharedFile(dir, "hosts", `${lines.join("\n")}\n`);
}

/**
 * Writes the /etc/resolv.conf of a container below `dir`, taken from this machine. With a network of its own a
 * container cannot reach a resolver on loopback, which is then left out. Returns its path.
 */
export function resolvConfFile(dir: string, hostNetwork: boolean): string {
  return sharedFile(dir, "resolv", resolvConf(readHost("/etc/resolv.conf"), hostNetwork));
}

/** Pure part of {@link resolvConfFile}. */
export function resolvConf(text: string, hostNetwork: boolean): string {
  if (hostNetwork) return text;
  return text
    .split("\n")
    .filter((line) => !/^\s*nameserver\s+(127\.|::1\s*$)/.test(line))
    .join("\n");
}

function readHost(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The name says the content, so that a file which is there already is right. */
function sharedFile(dir: string, kind: string, content: string): string {
  const file = path.join(dir, `${kind}-${hexOf(digestOf(content)).slice(0, 16)}`);
  if (existsSync(file)) return file;
  mkdirSync(dir, { recursive: true });
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, content, { mode: 0o644 });
  renameSync(temporary, file);
  return file;
}
