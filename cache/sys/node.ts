import fs from "node:fs";
import { checked, cString, libc } from "./libc.js";
import type { Path } from "./libc.js";

/** Flags of {@link renameat2}. Source: linux/fs.h */
export const RENAME_NOREPLACE = 1;
/** Swaps both names. */
export const RENAME_EXCHANGE = 2;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const O_CLOEXEC = 0o2000000;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const SYS_openat2 = 437;
const NANOSECONDS = 1_000_000_000n;

const native = {
  mknod: libc("int mknod(const void *path, uint mode, ulong device)"),
  utimensat: libc("int utimensat(int dirfd, const void *path, const void *times, int flags)"),
  openat2: libc("long syscall(long number, long dirfd, const void *path, const void *how, ulong size)"),
  renameat2: libc("int renameat2(int fromDir, const void *from, int toDir, const void *to, uint flags)"),
  copyFileRange: libc("long copy_file_range(int from, void *fromAt, int to, void *toAt, ulong length, uint flags)"),
};

/** Creates a device, FIFO or socket node. `mode` has type and permission bits; the umask applies. */
export function mknod(path: Path, mode: number, device: number | bigint = 0): void {
  checked(native.mknod(cString(path), mode, device), "mknod", path);
}

/** A device number in the form of `stat.rdev` and {@link mknod}. */
export function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}

/** The parts of a `stat.rdev`. */
export function splitDevice(device: number | bigint): { readonly major: number; readonly minor: number } {
  const value = BigInt(device);
  const major = ((value >> 32n) & 0xfffff000n) | ((value >> 8n) & 0xfffn);
  const minor = ((value >> 12n) & 0xffffff00n) | (value & 0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/** Sets times in nanoseconds since the epoch (negative: before it), of a symlink itself rather than its target. */
export function lutimes(path: Path, atimeNs: bigint, mtimeNs: bigint): void {
  const times = new BigInt64Array(4);
  writeTime(times, 0, atimeNs);
  writeTime(times, 2, mtimeNs);
  checked(native.utimensat(AT_FDCWD, cString(path), times, AT_SYMLINK_NOFOLLOW), "utimensat", path);
}

// struct timespec wants 0 ≤ tv_nsec < 1e9 also for times before the epoch.
function writeTime(times: BigInt64Array, at: number, ns: bigint): void {
  const remainder = ((ns % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  times[at] = (ns - remainder) / NANOSECONDS;
  times[at + 1] = remainder;
}

/**
 * Opens `path` as if the directory of `rootFd` were "/": neither "..", absolute names nor symlinks lead out of it, and
 * no magic link of /proc is followed. `flags` are those of `fs.constants`; O_CLOEXEC is added. The caller closes the result.
 */
export function openInRoot(rootFd: number, path: Path, flags: number, mode = 0): number {
  const how = BigUint64Array.of(
    BigInt(flags | O_CLOEXEC),
    BigInt(mode),
    BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
  );
  return checked(native.openat2(SYS_openat2, rootFd, cString(path), how, how.byteLength), "openat2", path);
}

/** rename(2) with RENAME_ flags. */
export function renameat2(from: Path, to: Path, flags: number): void {
  checked(native.renameat2(AT_FDCWD, cString(from), AT_FDCWD, cString(to), flags), "renameat2", from);
}

/** Copies up to `length` bytes from one file position to the other inside the kernel; returns how many, 0 at the end. */
export function copyFileRange(fromFd: number, toFd: number, length: number): number {
  return checked(native.copyFileRange(fromFd, null, toFd, null, length, 0), "copy_file_range");
}

/** Makes the names in a directory durable. */
export function fsyncDirectory(path: string | Buffer): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
