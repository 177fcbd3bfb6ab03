import { noEdits, type DeviceEdits } from "../cdi/edits.js";
import type { CdiHook, CdiMount } from "../cdi/spec.js";
import { DEFAULT_CAPABILITIES } from "./capabilities.js";
import { cgroupsPath, specResources } from "./cgroup.js";
import type { BindMount, ProcessSpec } from "./executor.js";
import type { DeviceNode } from "./hostDevices.js";
import { specRlimits } from "./rlimits.js";
import { defaultSeccomp, type Seccomp } from "./seccomp.js";
import type { ResolvedUser } from "./user.js";

/** Facts of this machine that the spec depends on. */
export interface HostFacts {
  readonly architecture: string;
  readonly cgroupVersion: 1 | 2;
  /** Files to bind over /etc/resolv.conf and /etc/hosts of the container. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** What a step with `--security=insecure` gets: all capabilities that tbuild has, and further devices. */
  readonly capabilities: readonly string[];
  readonly insecureDevices: readonly DeviceNode[];
}

/** The parts of an OCI runtime spec that tbuild fills in. Source: OCI runtime-spec config.md and config-linux.md. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: Readonly<Record<string, unknown>>;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly hooks?: Readonly<Record<string, readonly Omit<CdiHook, "hookName">[]>>;
  readonly linux: Readonly<Record<string, unknown>> & { readonly seccomp?: Seccomp };
}

interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** What would leak facts of the host, or give a way to act on it. */
const MASKED_PATHS = [
  "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
  "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
  "/sys/devices/virtual/powercap", "/sys/firmware",
];

const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const DEFAULT_SHM = 64 * 1024 * 1024;

/** The OCI runtime spec of a step with the devices of `edits`: pure, so that golden tests can show it. */
export function runtimeSpec(process: ProcessSpec, user: ResolvedUser, host: HostFacts, edits: DeviceEdits = noEdits): RuntimeSpec {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: process.terminal,
      user: { uid: user.uid, gid: user.gid, additionalGids: allGids(user, edits.additionalGids) },
      args: process.args,
      env: [...process.env, ...edits.env],
      cwd: process.cwd === "" ? "/" : process.cwd,
      capabilities: capabilities(process, host),
      rlimits: specRlimits(process.ulimits),
      noNewPrivileges: false,
    },
    root: { path: process.rootfs, readonly: process.readonlyRootfs },
    hostname: process.hostname,
    mounts: onePerPlace([...systemMounts(process, host), ...process.mounts.map(bindMount), ...edits.mounts.map(deviceMount)]),
    ...(edits.hooks.length === 0 ? {} : { hooks: hooksByName(edits.hooks) }),
    linux: linuxSection(process, user, host, edits),
  };
}

function capabilities({ security }: ProcessSpec, host: HostFacts): Readonly<Record<string, readonly string[]>> {
  if (security === "sandbox") return { bounding: DEFAULT_CAPABILITIES, effective: DEFAULT_CAPABILITIES, permitted: DEFAULT_CAPABILITIES };
  const all = host.capabilities;
  return { bounding: all, effective: all, permitted: all, inheritable: all, ambient: all };
}

/** Of several mounts at one place the last counts, in the place of the first. Source: BuildKit executor/oci/mounts.go. */
function onePerPlace(mounts: readonly SpecMount[]): readonly SpecMount[] {
  return [...new Map(mounts.map((mount) => [mount.destination, mount])).values()];
}

function hooksByName(hooks: readonly CdiHook[]): NonNullable<RuntimeSpec["hooks"]> {
  const byName: Record<string, Omit<CdiHook, "hookName">[]> = {};
  for (const { hookName, ...hook } of hooks) (byName[hookName] ??= []).push(hook);
  return byName;
}

function linuxSection(process: ProcessSpec, user: ResolvedUser, host: HostFacts, edits: DeviceEdits): RuntimeSpec["linux"] {
  const isInsecure = process.security === "insecure";
  const seccomp = isInsecure ? null : defaultSeccomp(host.architecture);
  // A device without an owner of its own belongs to the process, as CDI has it.
  const owner = user.uid === 0 ? {} : { uid: user.uid, gid: user.gid };
  const nodes = [...(isInsecure ? host.insecureDevices : []), ...edits.devices.map(({ node }) => ({ ...owner, ...node }))];
  return {
    namespaces: namespaces(process, host),
    cgroupsPath: cgroupsPath(process.cgroupParent, process.id),
    resources: { devices: deviceRules(process, edits), ...(process.resources === null ? {} : specResources(process.resources)) },
    ...(nodes.length === 0 ? {} : { devices: [...new Map(nodes.map((node) => [node.path, node])).values()] }),
    maskedPaths: isInsecure ? [] : MASKED_PATHS,
    readonlyPaths: isInsecure ? [] : READONLY_PATHS,
    ...(seccomp === null ? {} : { seccomp }),
  };
}

/** What the devices cgroup allows, later rules counting more. */
function deviceRules({ security }: ProcessSpec, edits: DeviceEdits): readonly Readonly<Record<string, unknown>>[] {
  if (security === "insecure") return ["c", "b"].map((type) => ({ allow: true, type, access: "rwm" }));
  const devices = edits.devices.filter(({ node }) => node.type !== "p");
  const rules = devices.map(({ node: { type, major, minor }, access }) => ({ allow: true, type, major, minor, access }));
  return [{ allow: false, access: "rwm" }, ...rules];
}

function namespaces(process: ProcessSpec, host: HostFacts): readonly { readonly type: string }[] {
  const types = ["pid", "ipc", "uts", "mount"];
  if (process.network === "none") types.push("network");
  if (host.cgroupVersion === 2) types.push("cgroup");
  return types.map((type) => ({ type }));
}

function systemMounts(process: ProcessSpec, host: HostFacts): readonly SpecMount[] {
  const access = process.security === "insecure" ? "rw" : "ro";
  const secure = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: secure },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...secure, "mode=1777", `size=${DEFAULT_SHM}`] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: secure },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...secure, access] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...secure, "relatime", access] },
    bindMount({ kind: "bind", source: host.resolvConf, dest: "/etc/resolv.conf", readonly: true, isFile: true }),
    bindMount({ kind: "bind", source: host.hosts, dest: "/etc/hosts", readonly: true, isFile: true }),
  ];
}

function deviceMount({ hostPath, containerPath, type = "bind", options = ["rbind", "rprivate", "ro"] }: CdiMount): SpecMount {
  return { destination: containerPath, type, source: hostPath, options };
}

function bindMount(mount: BindMount): SpecMount {
  if (mount.kind === "tmpfs") {
    const size = mount.size === null ? [] : [`size=${mount.size}`];
    return { destination: mount.dest, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", ...size] };
  }
  return { destination: mount.dest, type: "bind", source: mount.source, options: ["rbind", "rprivate", mount.readonly ? "ro" : "rw"] };
}

/** The group is one of the groups too, as everywhere else. Source: containerd, oci.ensureAdditionalGids (CVE-2022-2989). */
function allGids({ gid, additionalGids }: ResolvedUser, more: readonly number[]): readonly number[] {
  return [...new Set([gid, ...additionalGids, ...more])];
}
