import type { BulkPool } from "../../cache/bulk/pool.js";
import type { ListedFile } from "../../cache/bulk/treeEntries.js";
import type { Opts } from "../../cache/content/store.js";
import { splitDevice } from "../../cache/sys/node.js";
import { joinPath, toBytes } from "../../cache/tree/names.js";
import type { NewPacket } from "../api/sessionFiles.js";
import { kindOf, toGoMode } from "./goMode.js";
import { comparePaths } from "./pathOrder.js";

/** A tree of a result, and the directory of the output that it goes into; "" is the output itself. */
export interface TreePart {
  /** Absolute path of a tree that nobody changes. */
  readonly root: string;
  readonly under: string;
}

/** One entry of an output. */
export interface OutputEntry {
  readonly stat: NonNullable<NewPacket["stat"]>;
  /** Path in the output, a byte string. */
  readonly path: string;
  /** Where its bytes are; null when it has none of its own. */
  readonly content: { readonly root: string; readonly path: string; readonly size: number } | null;
}

const DIRECTORY = 0o040755;

/** Options of {@link listParts}. */
export interface ListOpts extends Opts {
  /** Seconds; what is later is told as of then. */
  readonly clampMtime?: number | null;
}

/** Everything in some trees, as a client wants it listed. What several of them have is taken from the first. */
export async function listParts(pool: Pick<BulkPool, "run">, parts: readonly TreePart[], opts: ListOpts): Promise<readonly OutputEntry[]> {
  const byPath = new Map<string, OutputEntry>();
  const add = (entry: OutputEntry): void => void (byPath.has(entry.path) || byPath.set(entry.path, entry));
  for (const { root, under } of parts) {
    const place = toBytes(under);
    if (place !== "") add({ path: place, stat: { path: bytesOf(place), mode: toGoMode(DIRECTORY) }, content: null });
    const files = await pool.run("listTree", { path: root, xattrs: true }, { signal: opts.signal });
    for (const file of files) add(entryOf(clamped(file, opts.clampMtime ?? null), root, place));
  }
  return [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
}

function clamped(file: ListedFile, seconds: number | null): ListedFile {
  const latest = seconds === null ? null : BigInt(seconds) * 1_000_000_000n;
  return latest === null || file.mtimeNs <= latest ? file : { ...file, mtimeNs: latest };
}

/** A file below `root` as the other end hears of it; `place` is the directory that it is put into, "" for none. */
export function entryOf(file: ListedFile, root: string, place: string): OutputEntry {
  const path = joinPath(place, file.path);
  const kind = kindOf(file.mode);
  const device = splitDevice(file.device);
  return {
    path,
    content: kind === "file" && file.link === "" ? { root, path: file.path, size: file.size } : null,
    stat: {
      path: bytesOf(path),
      mode: toGoMode(file.mode),
      uid: file.uid,
      gid: file.gid,
      size: file.size,
      mtimeNs: file.mtimeNs,
      linkname: bytesOf(kind === "file" && file.link !== "" ? joinPath(place, file.link) : file.link),
      devMajor: device.major,
      devMinor: device.minor,
      xattrs: Object.fromEntries([...(file.xattrs ?? [])].map(([name, value]) => [textOf(name), value])),
    },
  };
}

function bytesOf(path: string): Uint8Array {
  return Buffer.from(path, "latin1");
}

function textOf(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}
