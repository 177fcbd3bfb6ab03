import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import path from "node:path";
import { isErrno } from "../../cache/sys/libc.js";
import { openInRoot } from "../../cache/sys/node.js";

const MAX_TEXT = 8 * 1024 * 1024;

/** Text of a small regular file of the tree at `root`, symlinks resolved inside it; null when there is none. */
export function readTextInRoot(root: string, file: string): string | null {
  const fd = tryOpen(root, file, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fd === null) return null;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_TEXT ? readFileSync(fd, "utf8") : null;
  } finally {
    closeSync(fd);
  }
}

/** The first bytes, up to 256, of a regular file of the tree at `root`, symlinks resolved inside it; null when there is none. */
export function readStartInRoot(root: string, file: string): Buffer | null {
  const fd = tryOpen(root, file, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fd === null) return null;
  try {
    if (!fstatSync(fd).isFile()) return null;
    const start = Buffer.alloc(256);
    return start.subarray(0, readSync(fd, start));
  } finally {
    closeSync(fd);
  }
}

/** True when the tree at `root` has `file`, symlinks resolved inside it. */
export function existsInRoot(root: string, file: string): boolean {
  const fd = tryOpen(root, file, O_PATH);
  if (fd !== null) closeSync(fd);
  return fd !== null;
}

/**
 * Where `file` of the tree at `root` really is on this machine once every symlink above its last component is resolved
 * inside the root; null when the directory that would hold it does not exist.
 */
export function realPathInRoot(root: string, file: string): string | null {
  const parent = realPathOf(root, tryOpen(root, path.posix.dirname(file), O_PATH | constants.O_DIRECTORY));
  return parent === null ? null : `${parent}/${path.posix.basename(file)}`;
}

/** As {@link realPathInRoot}, with the last component resolved too; null when that does not exist. */
export function resolvedInRoot(root: string, file: string): string | null {
  return realPathOf(root, tryOpen(root, file, O_PATH));
}

/** The kernel tells paths in a detached mount as if its root were that of this machine: only what is below the root counts. */
function realPathOf(root: string, fd: number | null): string | null {
  if (fd === null) return null;
  const rootFd = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    const [top, place] = [rootFd, fd].map((one) => readlinkSync(`/proc/self/fd/${one}`)) as [string, string];
    const below = path.posix.relative(top, place);
    if (below.startsWith("../") || below === "..") return null;
    return below === "" ? root : `${root}/${below}`;
  } finally {
    closeSync(rootFd);
    closeSync(fd);
  }
}

/** Not among Node's constants; open(2). */
const O_PATH = 0o10000000;

function tryOpen(root: string, file: string, flags: number): number | null {
  const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return openInRoot(rootFd, file, flags);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return null;
    throw error;
  } finally {
    closeSync(rootFd);
  }
}
