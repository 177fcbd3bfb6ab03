import type { Argv } from "yargs";
import type { SpaceLimits } from "../../builder/config.js";
import { usage } from "../usage.js";
import { counted, flag, type GlobalArgs, globals, last, list, type Values, words } from "./values.js";

/** `tbuild daemon` as typed; the options are buildkitd's. Undefined is left to the configuration file. */
export interface DaemonArgs extends GlobalArgs {
  readonly command: "daemon";
  readonly addr: readonly string[];
  /** Name or id. */
  readonly group: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
  readonly debug: boolean;
  readonly debugAddr: string | undefined;
  readonly ociWorker: boolean | undefined;
  readonly labels: readonly string[];
  readonly platforms: readonly string[];
  readonly snapshotter: string | undefined;
  readonly binary: string | undefined;
  readonly maxParallelism: number | undefined;
  readonly gc: boolean | undefined;
  readonly gcLimits: SpaceLimits | undefined;
  readonly entitlements: readonly string[];
  readonly cdiDisabled: boolean;
  readonly cdiSpecDirs: readonly string[];
  /** Options that change nothing here, one sentence each. */
  readonly warnings: readonly string[];
}

const text = { type: "string", nargs: 1 } as const;
const texts = { type: "string", array: true, nargs: 1 } as const;
const hidden = { ...text, hidden: true } as const;
const hiddenSwitch = { type: "boolean", hidden: true } as const;

/** What is the same with and without them. */
const ignored = {
  texts: [
    "log-format log-level otel-socket-path oci-cni-config-path oci-cni-binary-dir",
    "oci-cni-pool-size containerd-worker-addr containerd-worker-labels containerd-worker-platform",
    "containerd-worker-namespace containerd-worker-runtime containerd-worker-net containerd-cni-config-path",
    "containerd-cni-binary-dir containerd-cni-pool-size containerd-worker-snapshotter containerd-worker-apparmor-profile",
    "containerd-max-parallelism containerd-worker-gc-keepstorage",
  ].flatMap((names) => names.split(" ")),
  switches: ["trace", "save-cache-debug", "containerd-worker-gc", "containerd-worker-selinux", "containerd-worker-rootless"],
};

/** What would promise something that is not done: why it is refused. */
const refused = {
  texts: {
    "oci-worker-apparmor-profile": "Steps run without an AppArmor profile",
    "oci-worker-proxy-snapshotter-path": "Snapshots are kept by tbuild itself",
  },
  switches: {
    rootless: "tbuildd runs as root",
    "oci-worker-rootless": "tbuildd runs as root",
    "oci-worker-selinux": "Steps get no SELinux labels",
    "oci-worker-no-process-sandbox": "Every step has a pid namespace of its own",
    "proxy-network": "Steps reach the network without a proxy",
  },
};

/** Options of `tbuild daemon`. */
export function daemonOptions(argv: Argv): Argv {
  const shown = argv
    .option("addr", { ...texts, describe: "Where to listen: unix:///path, tcp://host:port, fd:// (default unix:///run/tbuild/tbuildd.sock)" })
    .option("group", { ...text, describe: "Group, by name or id, that unix sockets belong to" })
    .option("tlscert", { ...text, describe: "Certificate of the server" })
    .option("tlskey", { ...text, describe: "Key of the server" })
    .option("tlscacert", { ...text, describe: "Authority that clients must have a certificate of" })
    .option("allow-insecure-entitlement", { ...texts, describe: "What builds may be allowed: network.host, security.insecure, device" })
    .option("oci-worker-labels", { ...texts, describe: "Further label of the worker, KEY=VALUE" })
    .option("oci-worker-platform", { ...texts, describe: "Platforms of the worker (default: those that programs run for here)" })
    .option("oci-worker-binary", { ...text, describe: "OCI runtime (default runc)" })
    .option("oci-worker-snapshotter", { ...text, describe: "overlayfs or native, as the store has it (default auto)" })
    .option("oci-max-parallelism", { ...text, describe: "Steps at a time" })
    .option("oci-worker-gc", { type: "boolean", describe: "Remove what is not used when there is too much of it (default true)" })
    .option("oci-worker-gc-keepstorage", { ...text, describe: "What that leaves, in MB: RESERVED[,FREE[,MAXIMUM]]" })
    .option("cdi-disabled", { type: "boolean", describe: "Offer no devices" })
    .option("cdi-spec-dir", { ...texts, describe: "Directory of CDI specifications" })
    .option("debugaddr", { ...text, describe: "Where to answer /metrics: host:port, unix:///path" })
    .option("debug", { type: "boolean", describe: "Log more" });
  for (const name of [...ignored.texts, ...Object.keys(refused.texts)]) shown.option(name, { ...hidden, array: true });
  for (const name of [...ignored.switches, ...Object.keys(refused.switches)]) shown.option(name, hiddenSwitch);
  // Words or switches, as buildkitd takes them: --oci-worker=false.
  return shown.option("oci-worker", hidden).option("containerd-worker", hidden).option("oci-worker-net", hidden);
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readDaemonArgs(values: Values): DaemonArgs {
  counted(words(values, 1), [0, 0], "daemon");
  refuse(values);
  return {
    command: "daemon",
    ...globals(values),
    addr: list(values, "addr"),
    group: last(values, "group"),
    tlsCert: last(values, "tlscert"),
    tlsKey: last(values, "tlskey"),
    tlsCa: last(values, "tlscacert"),
    debug: flag(values, "debug"),
    debugAddr: last(values, "debugaddr"),
    ociWorker: autoSwitch(values, "oci-worker"),
    labels: list(values, "oci-worker-labels"),
    platforms: list(values, "oci-worker-platform"),
    snapshotter: last(values, "oci-worker-snapshotter"),
    binary: last(values, "oci-worker-binary"),
    maxParallelism: parallelism(last(values, "oci-max-parallelism")),
    gc: values["oci-worker-gc"] === undefined ? undefined : flag(values, "oci-worker-gc"),
    gcLimits: limits(last(values, "oci-worker-gc-keepstorage")),
    entitlements: list(values, "allow-insecure-entitlement"),
    cdiDisabled: flag(values, "cdi-disabled"),
    cdiSpecDirs: list(values, "cdi-spec-dir"),
    warnings: [...ignored.texts, ...ignored.switches].filter((name) => values[name] !== undefined).map((name) => `Ignoring --${name}: it changes nothing here`),
  };
}

function refuse(values: Values): void {
  for (const [name, why] of Object.entries(refused.texts)) if (last(values, name) !== undefined) throw usage(`Cannot use --${name}`, why);
  for (const [name, why] of Object.entries(refused.switches)) if (flag(values, name)) throw usage(`Cannot use --${name}`, why);
  if (autoSwitch(values, "containerd-worker") === true) throw usage("Cannot use --containerd-worker", "The only worker is tbuild's own");
  if (autoSwitch(values, "oci-worker") === false) throw usage("Cannot use --oci-worker=false", "The only worker is tbuild's own");
  const net = last(values, "oci-worker-net");
  if (net !== undefined && net !== "auto" && net !== "host") throw usage(`Cannot use --oci-worker-net=${net}`, "Steps use the network of this machine");
}

/** "auto" is undefined. */
function autoSwitch(values: Values, name: string): boolean | undefined {
  const value = last(values, name);
  if (value === undefined || value === "auto") return undefined;
  if (value === "true" || value === "false") return value === "true";
  throw usage(`Cannot read --${name} "${value}"`, `Write --${name}=true, false or auto`);
}

/** Source: BuildKit, cmd/buildkitd/util.go stringToGCConfig() */
function limits(value: string | undefined): SpaceLimits | undefined {
  if (value === undefined) return undefined;
  const parts = value.split(",");
  if (parts.length > 3 || !parts.every((part) => /^\d{1,12}$/.test(part))) {
    throw usage(`Cannot read --oci-worker-gc-keepstorage "${value}"`, "Write RESERVED[,FREE[,MAXIMUM]] in MB, such as 10000,20000,50000");
  }
  const [reserved, minFree, maxUsed] = parts.map((part) => ({ kind: "bytes", bytes: Number(part) * 1e6 }) as const);
  return { reserved: reserved ?? null, minFree: minFree ?? null, maxUsed: maxUsed ?? null };
}

/** As buildkitd, 0 is no limit. */
function parallelism(value: string | undefined): number | undefined {
  if (value === undefined || value === "0") return undefined;
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw usage(`Cannot read --oci-max-parallelism "${value}"`, "Write --oci-max-parallelism with a number");
}
