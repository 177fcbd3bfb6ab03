import type { BindMount, ProcessSpec } from "./executor.js";
import { defaultSeccomp, type Seccomp } from "./seccomp.js";
import type { ResolvedUser } from "./user.js";

/** Facts of this machine that the spec depends on. */
export interface HostFacts {
  readonly architecture: string;
  readonly cgroupVersion: 1 | 2;
  /** Files to bind over /etc/resolv.conf and /etc/hosts of the container. */
  readonly resolvConf: string;
  readonly hosts: string;
}

/** The parts of an OCI runtime spec that tbuild fills in. Source: OCI runtime-spec config.md and config-linux.md. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: Readonly<Record<string, unknown>>;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly linux: Readonly<Record<string, unknown>> & { readonly seccomp?: Seccomp };
}

interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Docker's default capabilities. */
const CAPABILITIES = [
  "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID",
  "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
].map((name) => `CAP_${name}`);

/** What would leak facts of the host, or give a way to act on it. */
const MASKED_PATHS = [
  "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
  "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
  "/sys/devices/virtual/powercap", "/sys/firmware",
];

const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const DEFAULT_SHM = 64 * 1024 * 1024;

/** The OCI runtime spec of a step: pure, so that golden tests can show it. */
export function runtimeSpec(process: ProcessSpec, user: ResolvedUser, host: HostFacts): RuntimeSpec {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: process.args,
      env: process.env,
      cwd: process.cwd === "" ? "/" : process.cwd,
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: process.ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft, hard })),
      noNewPrivileges: false,
    },
    root: { path: process.rootfs, readonly: process.readonlyRootfs },
    hostname: process.hostname,
    mounts: [...systemMounts(process, host), ...process.mounts.map(bindMount)],
    linux: linuxSection(process, host),
  };
}

function linuxSection(process: ProcessSpec, host: HostFacts): RuntimeSpec["linux"] {
  const seccomp = defaultSeccomp(host.architecture);
  return {
    namespaces: namespaces(process, host),
    cgroupsPath: `${process.cgroupParent === "" ? "/tbuild" : process.cgroupParent}/${process.id}`,
    resources: { devices: [{ allow: false, access: "rwm" }] },
    maskedPaths: MASKED_PATHS,
    readonlyPaths: READONLY_PATHS,
    ...(seccomp === null ? {} : { seccomp }),
  };
}

function namespaces(process: ProcessSpec, host: HostFacts): readonly { readonly type: string }[] {
  const types = ["pid", "ipc", "uts", "mount"];
  if (process.network === "none") types.push("network");
  if (host.cgroupVersion === 2) types.push("cgroup");
  return types.map((type) => ({ type }));
}

function systemMounts(process: ProcessSpec, host: HostFacts): readonly SpecMount[] {
  const shm = process.shmSize ?? DEFAULT_SHM;
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
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...secure, "mode=1777", `size=${shm}`] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: secure },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...secure, "ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...secure, "relatime", "ro"] },
    bindMount({ kind: "bind", source: host.resolvConf, dest: "/etc/resolv.conf", readonly: true, isFile: true }),
    bindMount({ kind: "bind", source: host.hosts, dest: "/etc/hosts", readonly: true, isFile: true }),
  ];
}

function bindMount(mount: BindMount): SpecMount {
  if (mount.kind === "tmpfs") {
    const size = mount.size === null ? [] : [`size=${mount.size}`];
    return { destination: mount.dest, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", ...size] };
  }
  return { destination: mount.dest, type: "bind", source: mount.source, options: ["rbind", "rprivate", mount.readonly ? "ro" : "rw"] };
}
