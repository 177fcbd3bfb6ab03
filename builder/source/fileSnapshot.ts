import { randomUUID } from "node:crypto";
import path from "node:path";
import type { CopyAction } from "../../cache/bulk/actionJobs.js";
import { TbuildError, hasCode } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Digest } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import type { SourceRequest } from "./source.js";

/** How a file from outside is to lie in its tree. */
export interface FileAttributes {
  /** Null: what the source calls it. */
  readonly filename: string | null;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that is alone in its tree; its bytes are the blob `digest`. */
export interface OneFile extends FileAttributes {
  readonly digest: Digest;
  readonly filename: string;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

const DEFAULT_MODE = 0o600;

/** Reads http.filename, http.perm, http.uid and http.gid, which are those of blobs too. @throws {TbuildError} invalid_argument */
export function readFileAttributes(attrs: SourceRequest["attrs"]): FileAttributes {
  return {
    filename: attrs["http.filename"] ? safeName(attrs["http.filename"]) : null,
    mode: number(attrs, "http.perm", DEFAULT_MODE),
    uid: number(attrs, "http.uid", 0),
    gid: number(attrs, "http.gid", 0),
  };
}

/** Only the last component counts: no client chooses another directory. Source: BuildKit, source/util/pathutil. */
function safeName(text: string): string {
  const name = path.posix.basename(text.trim());
  return name === "" || name === "." || name === ".." || /\p{Cc}/u.test(name) ? "download" : name;
}

/** Go's notation: "0600" and "0o600" are octal. */
function number(attrs: SourceRequest["attrs"], key: string, fallback: number): number {
  const text = attrs[key];
  if (text === undefined || text === "") return fallback;
  const value = /^0[0-7]+$/.test(text) ? parseInt(text, 8) : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new TbuildError("invalid_argument", `Cannot use "${key}=${text}": not a number`);
  return value;
}

const oneFile = { wildcard: false, followSymlink: false, dirContents: false, include: [], exclude: [], allowEmpty: false };

/** Copies a blob that is here file by file name, whatever its size: it never passes through memory. Returns `name`, the snapshot. */
export async function writeFileSnapshot(store: Store, file: OneFile, name: string, opts: Opts): Promise<string> {
  const key = `file-${randomUUID()}`;
  await store.content.info(file.digest);
  const blob = store.content.pathOf(file.digest);
  const action: CopyAction = {
    kind: "copy",
    sourceRoot: path.dirname(blob),
    ignore: [],
    selection: { ...oneFile, path: path.basename(blob) },
    dest: `/${file.filename}`,
    owner: { uid: file.uid, gid: file.gid },
    archiveOwner: null,
    mode: file.mode,
    modeText: null,
    createDestPath: false,
    unpack: false,
    replaceExisting: false,
    mtime: file.mtime,
  };
  const mount = await store.snapshots.prepare(key, null);
  try {
    {
      await using tree = await mountTree(mount);
      await store.bulk.run("fileActions", { root: tree.path, actions: [action] }, opts);
    }
    await store.snapshots.commit(name, key);
  } catch (error) {
    await store.snapshots.remove(key);
    if (!hasCode(error, "already_exists")) throw error;
  }
  return name;
}
