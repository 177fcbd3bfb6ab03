import fs from "node:fs";
import { cString, hasLibc, libc, systemError } from "./libc.js";
import { duplicate } from "./pipe.js";

const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
// glibc: 80 and 336 bytes, sigset_t 128; musl's are smaller or equal.
const STRUCT_BYTES = 512;
const SIGSET_BYTES = 128;

const closeFromDeclaration = "int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)";
const spawnDeclaration =
  "int posix_spawnp(void *pid, const void *file, const void *actions, const void *attributes, " +
  "const char **argv, const char **envp)";

const native = {
  spawn: libc(spawnDeclaration),
  actionsInit: libc("int posix_spawn_file_actions_init(void *actions)"),
  actionsDestroy: libc("int posix_spawn_file_actions_destroy(void *actions)"),
  addDup2: libc("int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)"),
  addChdir: libc("int posix_spawn_file_actions_addchdir_np(void *actions, const void *path)"),
  addCloseFrom: libc(closeFromDeclaration),
  attrInit: libc("int posix_spawnattr_init(void *attributes)"),
  attrDestroy: libc("int posix_spawnattr_destroy(void *attributes)"),
  setFlags: libc("int posix_spawnattr_setflags(void *attributes, short flags)"),
  setDefaultSignals: libc("int posix_spawnattr_setsigdefault(void *attributes, const void *signals)"),
  setSignalMask: libc("int posix_spawnattr_setsigmask(void *attributes, const void *signals)"),
  fillSignals: libc("int sigfillset(void *signals)"),
};

let closeFrom: boolean | undefined;

/** What {@link posixSpawn} reads of its caller's options. */
interface SpawnTarget {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd?: string | undefined;
  readonly setsid?: boolean | undefined;
}

/**
 * Starts a program with `streams` as its standard streams and returns its process ID. The descriptors stay open here.
 * Whoever calls it must wait for the process.
 */
export function posixSpawn(target: SpawnTarget, streams: readonly [number, number, number]): number {
  const actions = Buffer.alloc(STRUCT_BYTES);
  const attributes = Buffer.alloc(STRUCT_BYTES);
  // A source that is itself one of 0–2 could be overwritten before its turn.
  const sources = streams.map((fd) => (fd < 3 ? duplicate(fd) : fd));
  succeeded(native.actionsInit(actions));
  succeeded(native.attrInit(attributes));
  try {
    addFileActions(actions, sources, target.cwd);
    setAttributes(attributes, target.setsid ?? false);
    return spawn(target, actions, attributes);
  } finally {
    native.actionsDestroy(actions);
    native.attrDestroy(attributes);
    sources.forEach((fd, i) => fd !== streams[i] && fs.closeSync(fd));
  }
}

function spawn(target: SpawnTarget, actions: Buffer, attributes: Buffer): number {
  const pid = new Int32Array(1);
  const file = target.argv[0] ?? "";
  const result = native.spawn(pid, cString(file), actions, attributes, [...target.argv, null], [...target.env, null]);
  if (result !== 0) throw systemError(result, "posix_spawn", file);
  return pid[0] ?? -1;
}

function addFileActions(actions: Buffer, sources: readonly number[], cwd: string | undefined): void {
  sources.forEach((fd, i) => succeeded(native.addDup2(actions, fd, i)));
  if (cwd !== undefined) succeeded(native.addChdir(actions, cString(cwd)));
  // Descriptors that this process inherited itself may lack O_CLOEXEC. glibc before 2.34 cannot close them.
  closeFrom ??= hasLibc(closeFromDeclaration);
  if (closeFrom) succeeded(native.addCloseFrom(actions, 3));
}

// Node ignores SIGPIPE, and ignoring survives exec: programs in pipes would not end.
function setAttributes(attributes: Buffer, setsid: boolean): void {
  const all = Buffer.alloc(SIGSET_BYTES);
  native.fillSignals(all);
  succeeded(native.setDefaultSignals(attributes, all));
  succeeded(native.setSignalMask(attributes, Buffer.alloc(SIGSET_BYTES)));
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (setsid ? POSIX_SPAWN_SETSID : 0);
  succeeded(native.setFlags(attributes, flags));
}

// These functions return the error number.
function succeeded(errno: number): void {
  if (errno !== 0) throw systemError(errno, "posix_spawn");
}
