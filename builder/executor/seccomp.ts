import { ALLOWED_SYSCALLS } from "./syscalls.js";

/** The seccomp part of an OCI runtime spec. Source: OCI runtime-spec config-linux.md "Seccomp". */
export interface Seccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SyscallRule[];
}

interface SyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo?: number; readonly op: string }[];
}

const EPERM = 1;
const ENOSYS = 38;
const AF_ALG = 38;
const AF_VSOCK = 40;
/** NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET of clone(2). */
const CLONE_NAMESPACES = 0x7e020000;
/** Values of personality(2) that programs really use: Linux, 32-bit, UNAME26 and both; and "ask". */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

const ARCH_SYSCALLS: Readonly<Record<string, readonly string[]>> = {
  amd64: ["arch_prctl", "modify_ldt"],
  arm64: ["arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls"],
};

/**
 * Docker's default seccomp profile for its default capabilities, on this architecture (amd64 or arm64; null elsewhere).
 * Source: moby/profiles seccomp, as facts.
 */
export function defaultSeccomp(architecture: string): Seccomp | null {
  const architectures = ARCHITECTURES[architecture];
  if (architectures === undefined) return null;
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures,
    syscalls: [
      allow([...ALLOWED_SYSCALLS, "process_vm_readv", "process_vm_writev", "ptrace", "chroot", ...(ARCH_SYSCALLS[architecture] ?? [])]),
      allowArg("socket", AF_ALG, "SCMP_CMP_LT"),
      allowArg("socket", AF_ALG + 1, "SCMP_CMP_EQ"),
      allowArg("socket", AF_VSOCK, "SCMP_CMP_GT"),
      ...PERSONALITIES.map((value) => allowArg("personality", value, "SCMP_CMP_EQ")),
      { ...allow(["clone"]), args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] },
      // glibc falls back to clone, whose flags a filter can see, only on ENOSYS.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
    ],
  };
}

function allow(names: readonly string[]): SyscallRule {
  return { names, action: "SCMP_ACT_ALLOW" };
}

function allowArg(name: string, value: number, op: string): SyscallRule {
  return { ...allow([name]), args: [{ index: 0, value, op }] };
}
