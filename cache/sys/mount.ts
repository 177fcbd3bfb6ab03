import fs from "node:fs";
import { checked, cString, libc } from "./libc.js";
import type { Path } from "./libc.js";

/** Flags of {@link mount}. Source: linux/mount.h */
export const MS_RDONLY = 0x1;
/** No set-user-ID programs. */
export const MS_NOSUID = 0x2;
/** No device files. */
export const MS_NODEV = 0x4;
/** No programs. */
export const MS_NOEXEC = 0x8;
/** Changes the flags of an existing mount. */
export const MS_REMOUNT = 0x20;
/** Shows a directory at another place. */
export const MS_BIND = 0x1000;
/** Flag of {@link umount2}: out of sight at once, gone when the last user has closed its files. */
export const MNT_DETACH = 0x2;
/** Attribute of {@link fsmount}. */
export const MOUNT_ATTR_RDONLY = 0x1;

const AT_FDCWD = -100;
const CLOEXEC = 1; // FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC
const O_CLOEXEC = 0o2000000;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

// These numbers are the same on every architecture; the wrappers came to glibc only with 2.36.
const SYS_open_tree = 428;
const SYS_move_mount = 429;
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;

const native = {
  mount: libc("int mount(const void *source, const void *target, const void *type, ulong flags, const void *data)"),
  umount2: libc("int umount2(const void *target, int flags)"),
  openTree: libc("long syscall(long number, long dirfd, const void *path, ulong flags)"),
  moveMount: libc("long syscall(long number, long from, const void *fromPath, long to, const void *toPath, ulong flags)"),
  fsopen: libc("long syscall(long number, const void *type, ulong flags)"),
  fsconfig: libc("long syscall(long number, long fd, ulong command, const void *key, const void *value, long aux)"),
  fsmount: libc("long syscall(long number, long fd, ulong flags, ulong attributes)"),
};

/** mount(2). `data` is at most one page of options. */
export function mount(source: Path, target: Path, type: string, flags: number, data = ""): void {
  const result = native.mount(cString(source), cString(target), cString(type), flags, cString(data));
  checked(result, "mount", target);
}

/** umount2(2). */
export function umount2(target: Path, flags: number): void {
  checked(native.umount2(cString(target), flags), "umount2", target);
}

/** Binds the directory `source` at the directory `target`, without what is mounted below it. */
export function bindMount(source: Path, target: Path, access: "readonly" | "writable"): void {
  mount(source, target, "", MS_BIND);
  if (access === "writable") return;
  try {
    mount("", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY); // the first call ignores MS_RDONLY
  } catch (error) {
    umount2(target, MNT_DETACH);
    throw error;
  }
}

/** Starts the configuration of a new file system; the result is a file descriptor to close. */
export function fsopen(type: string): number {
  return checked(native.fsopen(SYS_fsopen, cString(type), CLOEXEC), "fsopen");
}

/** Sets one option; no value sets a flag. A value can have 255 bytes. */
export function fsconfigSet(fd: number, key: string, value?: Path): void {
  const command = value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  const bytes = value === undefined ? null : cString(value);
  checked(native.fsconfig(SYS_fsconfig, fd, command, cString(key), bytes, 0), `fsconfig ${key}`, value);
}

/** Makes the configured superblock. The kernel's own explanation, if any, becomes part of the error's message. */
export function fsconfigCreate(fd: number): void {
  try {
    checked(native.fsconfig(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, null, null, 0), "fsconfig create");
  } catch (error) {
    const explanation = readMessages(fd);
    if (error instanceof Error && explanation !== "") error.message += ` (${explanation})`;
    throw error;
  }
}

/** A file descriptor of the mount, attached nowhere: closing the last descriptor unmounts it. */
export function fsmount(fd: number, attributes = 0): number {
  return checked(native.fsmount(SYS_fsmount, fd, CLOEXEC, attributes), "fsmount");
}

/** A detached copy of the mount at `path`, under the rules of {@link fsmount}. */
export function cloneMount(path: Path): number {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC;
  return checked(native.openTree(SYS_open_tree, AT_FDCWD, cString(path), flags), "open_tree", path);
}

/** Attaches a detached mount at the directory `target`. */
export function moveMount(fd: number, target: Path): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH;
  const result = native.moveMount(SYS_move_mount, fd, cString(""), AT_FDCWD, cString(target), flags);
  checked(result, "move_mount", target);
}

// A file-system context hands out its log one message a read, prefixed "e ", "w " or "i ".
function readMessages(fd: number): string {
  const messages: string[] = [];
  const buffer = Buffer.alloc(1024);
  try {
    for (let n = fs.readSync(fd, buffer); n > 0 && messages.length < 8; n = fs.readSync(fd, buffer)) {
      messages.push(buffer.toString("utf8", 0, n).trim().slice(2));
    }
  } catch {
    // ENODATA: no more messages
  }
  return messages.join("; ");
}
