import fs from "node:fs";
import type { JobContext, WriteTreeInput } from "../bulk/jobs.js";
import type { NewEntry, TreeWrite } from "../bulk/treeEntries.js";
import { isOverlayXattr } from "../diff/xattrs.js";
import { fromSystemError, isTbuildError, TbuildError } from "../errors.js";
import { isErrno } from "../sys/libc.js";
import { lutimes, mknod } from "../sys/node.js";
import { lsetxattr } from "../sys/xattr.js";
import { createFile, writeAll } from "./copyFile.js";
import { errnoOf } from "./fileError.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";
import { removePath } from "./removeTree.js";
import { changeOwner, changeOwnerOf } from "./target.js";

const appendFlags = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NOFOLLOW;

/**
 * Makes changes of a tree, in order. What is there is never opened for writing but to go on with a file that was begun.
 * @throws {TbuildError} resource_exhausted, unsupported for what this machine cannot have
 */
export function writeTree({ root, writes, content }: WriteTreeInput, ctx: JobContext): null {
  const base = toBytes(root);
  let at = 0;
  for (const write of writes) {
    const bytes = write.kind === "file" ? content.subarray(at, (at += write.bytes)) : content.subarray(0, 0);
    try {
      apply(joinPath(base, write.path), base, write, bytes);
    } catch (error) {
      throw writeError(error, write.path);
    }
    ctx.tick(bytes.length, 1);
  }
  return null;
}

function apply(at: string, base: string, write: TreeWrite, bytes: Uint8Array): void {
  const path = osPath(at);
  switch (write.kind) {
    case "remove": return removePath(at);
    case "directory":
      if (write.isNew) fs.mkdirSync(path, 0o700);
      return settle(path, write.as, "directory");
    case "symlink":
      fs.symlinkSync(osPath(write.target), path);
      return settle(path, write.as, "symlink");
    case "node":
      mknod(path, write.type | 0o600, write.device);
      return settle(path, write.as, "other");
    case "file":
      return writeFile(path, write, bytes);
    case "link": return fs.linkSync(osPath(joinPath(base, write.target)), path);
    case "time": return lutimes(path, write.mtimeNs, write.mtimeNs);
  }
}

function writeFile(path: string | Buffer, { isNew, as }: Extract<TreeWrite, { kind: "file" }>, bytes: Uint8Array): void {
  if (isNew && as !== null) return writeWhole(path, as, bytes);
  if (isNew) createFile(path, { mode: 0o600, owner: null }, (fd) => writeAll(fd, bytes));
  else if (bytes.length > 0) append(path, bytes);
  if (as !== null) settle(path, as, "other");
}

/** Most files come whole, and are ours already: each system call that is not made counts. */
function writeWhole(path: string | Buffer, as: NewEntry, bytes: Uint8Array): void {
  createFile(path, { mode: as.mode, owner: null }, (fd) => {
    writeAll(fd, bytes);
    const { uid, gid } = fs.fstatSync(fd);
    if (uid !== as.owner.uid || gid !== as.owner.gid) changeOwnerOf(fd, as.owner);
  });
  if (as.xattrs !== null) setXattrs(path, as.xattrs);
  lutimes(path, as.mtimeNs, as.mtimeNs);
}

function append(path: string | Buffer, bytes: Uint8Array): void {
  const fd = fs.openSync(path, appendFlags);
  try {
    writeAll(fd, bytes);
  } finally {
    fs.closeSync(fd);
  }
}

function settle(path: string | Buffer, { mode, owner, mtimeNs, xattrs }: NewEntry, what: "directory" | "symlink" | "other"): void {
  if (xattrs !== null) setXattrs(path, xattrs);
  changeOwner(path, owner);
  if (what !== "symlink") fs.chmodSync(path, mode);
  if (what !== "directory") lutimes(path, mtimeNs, mtimeNs);
}

/** What the file system cannot hold is left out, as BuildKit does; overlayfs's own marks never get in. */
function setXattrs(path: string | Buffer, xattrs: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, value] of xattrs) {
    if (isOverlayXattr(name)) continue;
    try {
      lsetxattr(path, osPath(name), value);
    } catch (error) {
      if (!isErrno(error, "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES", "EINVAL", "ERANGE", "E2BIG", "ENOSPC")) throw error;
    }
  }
}

/** The list comes from elsewhere: whatever the kernel refuses is a fault of the list. */
function writeError(error: unknown, path: string): unknown {
  const known = fromSystemError(error, toText(path));
  const code = errnoOf(error);
  if (isTbuildError(known) || code === null) return known;
  const why = code === "ENAMETOOLONG" ? "its path is too long" : (error as Error).message;
  return new TbuildError("unsupported", `Cannot write "${toText(path)}": ${why}`, { cause: error });
}
