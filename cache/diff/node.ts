import fs from "node:fs";
import { lutimes, makeDevice, mknod } from "../sys/node.js";
import { cannotUnpack } from "./errors.js";
import type { TarEntry } from "./header.js";
import { fsPath } from "./rootPath.js";
import { writeXattrs } from "./xattrs.js";

/** Hands out a file's data with its position; see TarReader.readBody. */
export type BodyReader = (onData: (chunk: Buffer, at: number) => void) => void;

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, S_IFCHR, S_IFBLK, S_IFIFO } = fs.constants;

/** Creates what an entry describes at a free latin1 path, with all its metadata but a directory's mtime. Not for links. */
export function createNode(path: string, entry: TarEntry, readBody: BodyReader): void {
  const target = fsPath(path);
  switch (entry.type) {
    case "file":
      createFile(target, entry, readBody);
      break;
    case "symlink":
      fs.symlinkSync(fsPath(entry.linkName), target);
      fs.lchownSync(target, entry.uid, entry.gid);
      break;
    case "dir":
      fs.mkdirSync(target, 0o700);
      return restoreDirectory(path, entry);
    case "link":
      throw new Error("A hard link has no node of its own");
    default:
      createSpecial(target, entry, entry.type);
  }
  writeXattrs(path, entry.xattrs);
  lutimes(target, entry.mtimeNs, entry.mtimeNs);
}

/** Gives an existing directory the owner, mode and extended attributes of an entry. */
export function restoreDirectory(path: string, entry: TarEntry): void {
  fs.chownSync(fsPath(path), entry.uid, entry.gid);
  fs.chmodSync(fsPath(path), entry.mode);
  writeXattrs(path, entry.xattrs);
}

// The mode comes after the owner, because a change of owner clears setuid and setgid.
function createFile(path: string | Buffer, entry: TarEntry, readBody: BodyReader): void {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let end = 0;
    readBody((chunk, at) => {
      for (let done = 0; done < chunk.length; ) done += fs.writeSync(fd, chunk, done, chunk.length - done, at + done);
      end = at + chunk.length;
    });
    if (end < entry.size) fs.ftruncateSync(fd, entry.size);
    fs.fchownSync(fd, entry.uid, entry.gid);
    fs.fchmodSync(fd, entry.mode);
  } finally {
    fs.closeSync(fd);
  }
}

const types = { char: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO };

function createSpecial(path: string | Buffer, entry: TarEntry, type: keyof typeof types): void {
  // Overlayfs takes this device for a whiteout: it would hide a file instead of being one.
  if (type === "char" && entry.devMajor === 0 && entry.devMinor === 0) {
    throw cannotUnpack("unsupported", entry.name, "character device 0:0 marks deleted files");
  }
  mknod(path, types[type] | 0o600, type === "fifo" ? 0 : makeDevice(entry.devMajor, entry.devMinor));
  fs.chownSync(path, entry.uid, entry.gid);
  fs.chmodSync(path, entry.mode);
}
