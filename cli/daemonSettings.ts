import { readFileSync } from "node:fs";
import { type Platform, parsePlatform } from "../cache/oci/platform.js";
import type { GcConfig, TbuildConfig } from "../builder/config.js";
import type { ListenAddress } from "../builder/daemon/address.js";
import { parseAddress } from "../builder/daemon/address.js";
import type { SocketOwner } from "../builder/daemon/listener.js";
import type { TlsFiles } from "../builder/daemon/server.js";
import type { DaemonArgs } from "./args/daemon.js";
import { usage } from "./usage.js";

/** How a daemon runs: the command line goes before the file. */
export interface DaemonSettings {
  /** Undefined: the default. */
  readonly root: string | undefined;
  readonly addresses: readonly ListenAddress[];
  /** Undefined: no metrics. */
  readonly debugAddress: ListenAddress | undefined;
  readonly owner: SocketOwner;
  readonly tls: TlsFiles | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Null: those that programs run for here. */
  readonly platforms: readonly Platform[] | null;
  readonly entitlements: readonly string[];
  /** When and what the daemon collects. */
  readonly gc: GcConfig;
  readonly warnings: readonly string[];
}

const DEFAULT_ADDRESS = "unix:///run/tbuild/tbuildd.sock";

/** @throws {TbuildError} usage, invalid_argument */
export function daemonSettings(args: DaemonArgs, config: TbuildConfig): DaemonSettings {
  const { daemon, worker } = config;
  if (!worker.enabled && args.ociWorker !== true) throw usage("Cannot start without a worker", "The configuration turns [worker.oci] off, and there is no other");
  const addresses = firstOf(args.addr, daemon.addresses, [DEFAULT_ADDRESS]).map(parseAddress);
  const tls = tlsFiles(args, config);
  const open = tls === null && addresses.some(({ kind }) => kind === "tcp");
  return {
    root: args.root ?? daemon.root ?? undefined,
    addresses,
    debugAddress: debugAddress(args.debugAddr ?? daemon.debugAddress),
    owner: { uid: daemon.uid, gid: args.group === undefined ? daemon.gid : groupId(args.group) },
    tls,
    labels: { ...worker.labels, ...Object.fromEntries(args.labels.map(label)) },
    platforms: platformsOf(firstOf(args.platforms.flatMap((text) => text.split(",")), worker.platforms)),
    entitlements: firstOf(args.entitlements, daemon.entitlements).map(entitlement),
    gc: { gc: args.gc ?? worker.gc, policies: worker.policies, limits: args.gcLimits ?? worker.limits },
    warnings: [...args.warnings, ...config.warnings, ...(open ? ["Anybody who reaches a TCP address can build as root: give --tlscert, --tlskey and --tlscacert"] : [])],
  };
}

/** As buildkitd, without a scheme it is TCP. */
function debugAddress(text: string | null): ListenAddress | undefined {
  if (text === null || text === "") return undefined;
  return parseAddress(text.includes("://") ? text : `tcp://${text}`);
}

function firstOf<T>(...lists: readonly (readonly T[])[]): readonly T[] {
  return lists.find((list) => list.length > 0) ?? [];
}

function tlsFiles({ tlsCert, tlsKey, tlsCa }: DaemonArgs, { daemon: { tls } }: TbuildConfig): TlsFiles | null {
  const [cert, key, ca] = [tlsCert ?? tls.cert, tlsKey ?? tls.key, tlsCa ?? tls.ca];
  if (cert !== null && key !== null) return { cert, key, ca };
  if (cert === null && key === null && ca === null) return null;
  throw usage("Cannot use TLS without certificate and key", "Give both --tlscert and --tlskey");
}

function label(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw usage(`Cannot read label "${text}"`, "Write --oci-worker-labels KEY=VALUE");
}

function platformsOf(names: readonly string[]): readonly Platform[] | null {
  return names.length === 0 ? null : names.map((name) => parsePlatform(name.trim()));
}

function entitlement(name: string): string {
  if (["network.host", "security.insecure", "device"].includes(name)) return name;
  throw usage(`Cannot allow "${name}": there is no such entitlement`, "There are network.host, security.insecure and device");
}

/** @throws {TbuildError} usage */
function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readFileSync("/etc/group", "utf8").split("\n").find((entry) => entry.startsWith(`${group}:`));
  const id = line?.split(":")[2];
  if (id === undefined) throw usage(`Cannot give sockets to group "${group}": there is no such group`, "Give --group an id, or the name of a group of this machine");
  return Number(id);
}
