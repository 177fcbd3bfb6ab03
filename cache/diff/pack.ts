import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { DiffOutput, LayerForm } from "../bulk/layerJobs.js";
import { splitDevice } from "../sys/node.js";
import { cannotPack } from "./errors.js";
import { NO_XATTRS, type EntryType, type TarEntry } from "./header.js";
import { fsPath, joinPath } from "./rootPath.js";
import { OPAQUE_NAME, WHITEOUT_PREFIX } from "./whiteout.js";
import { toWindows, windowsRoots } from "./windows.js";
import { createTarWriter } from "./writer.js";
import { readXattrs } from "./xattrs.js";

/** Turns files into entries of a layer whose bytes depend on nothing but the files. Paths and names are latin1. */
export interface Packer {
  /** Adds one file, without what is below a directory. Sockets are left out. */
  add(path: string, name: string, stat: fs.BigIntStats): void;
  /** Says that lower layers' `name` in the directory is gone. */
  addWhiteout(dir: string, name: string): void;
  /** Says that all of lower layers in the directory is gone. */
  addOpaque(dir: string): void;
  finish(): DiffOutput;
}

/** See {@link createPacker}. */
export interface PackOptions {
  /** True: bytes go to JobContext.emit; else they are only hashed. */
  readonly emit: boolean;
  /** Latest mtime in seconds since the epoch; null keeps every mtime. */
  readonly clampMtime: number | null;
  /** Whose layer it is. Default "linux". */
  readonly form?: LayerForm | undefined;
}

/**
 * Starts a layer. The first path of a hard-linked file holds its content, later ones are links to it; add files in a fixed
 * order for equal bytes.
 */
export function createPacker(options: PackOptions, ctx: JobContext): Packer {
  const emit = options.emit ? (chunk: Uint8Array) => ctx.emit(chunk) : null;
  const writer = createTarWriter(emit, (bytes) => ctx.tick(bytes, 0));
  const latest = options.clampMtime === null ? null : BigInt(options.clampMtime) * 1_000_000_000n;
  const firstNames = new Map<string, string>();
  const isWindows = options.form === "windows";
  const put = (entry: TarEntry) => writer.writeHeader(isWindows ? toWindows(entry) : entry);
  if (isWindows) for (const root of windowsRoots) writer.writeHeader(root);

  function add(path: string, name: string, stat: fs.BigIntStats): void {
    const type = typeOf(stat);
    if (type === null) return;
    checkName(name);
    const first = firstLink(name, type, stat);
    const mtimeNs = latest !== null && stat.mtimeNs > latest ? latest : stat.mtimeNs;
    const entry = first === null ? readEntry(path, name, type, stat, mtimeNs) : linkEntry(name, first, stat, mtimeNs);
    put(entry);
    if (entry.size > 0) copyBody(path, entry);
    ctx.tick(0, 1);
  }

  /** Name under which this inode is in the tar already, or null. */
  function firstLink(name: string, type: EntryType, stat: fs.BigIntStats): string | null {
    if (type === "dir" || stat.nlink < 2n) return null;
    const inode = `${stat.dev}:${stat.ino}`;
    const first = firstNames.get(inode) ?? null;
    if (first === null) firstNames.set(inode, name);
    return first;
  }

  function copyBody(path: string, entry: TarEntry): void {
    const fd = fs.openSync(fsPath(path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      writer.writeBody(fd, entry);
    } finally {
      fs.closeSync(fd);
    }
  }

  return {
    add,
    addWhiteout: (dir, name) => put(marker(joinPath(dir, WHITEOUT_PREFIX + name))),
    addOpaque: (dir) => put(marker(joinPath(dir, OPAQUE_NAME))),
    finish: () => writer.finish(),
  };
}

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO } = fs.constants;

const types: ReadonlyMap<number, EntryType> = new Map([
  [S_IFREG, "file"], [S_IFDIR, "dir"], [S_IFLNK, "symlink"], [S_IFCHR, "char"], [S_IFBLK, "block"], [S_IFIFO, "fifo"],
]);

/** Null for a socket. */
export function typeOf(stat: fs.BigIntStats): EntryType | null {
  return types.get(Number(stat.mode) & S_IFMT) ?? null;
}

function checkName(name: string): void {
  if (!name.slice(name.lastIndexOf("/") + 1).startsWith(WHITEOUT_PREFIX)) return;
  throw cannotPack(name, `in layers, names that start with "${WHITEOUT_PREFIX}" stand for deleted files`);
}

function readEntry(path: string, name: string, type: EntryType, stat: fs.BigIntStats, mtimeNs: bigint): TarEntry {
  const { major, minor } = type === "char" || type === "block" ? splitDevice(stat.rdev) : { major: 0, minor: 0 };
  return {
    type,
    name,
    linkName: type === "symlink" ? fs.readlinkSync(fsPath(path), "latin1") : "",
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs,
    size: type === "file" ? Number(stat.size) : 0,
    devMajor: major,
    devMinor: minor,
    xattrs: readXattrs(path),
  };
}

/** Extended attributes are with the first name. */
function linkEntry(name: string, linkName: string, stat: fs.BigIntStats, mtimeNs: bigint): TarEntry {
  const [mode, uid, gid] = [Number(stat.mode) & 0o7777, Number(stat.uid), Number(stat.gid)];
  return { type: "link", name, linkName, mode, uid, gid, mtimeNs, size: 0, devMajor: 0, devMinor: 0, xattrs: NO_XATTRS };
}

function marker(name: string): TarEntry {
  return {
    type: "file", name, linkName: "", mode: 0, uid: 0, gid: 0, mtimeNs: 0n, size: 0, devMajor: 0, devMinor: 0, xattrs: NO_XATTRS,
  };
}
