import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync, type BigIntStats } from "node:fs";
import zlib from "node:zlib";
import { decodeTree, type PackedTree } from "./packedTree.js";

/** What was last written to, or read from, a shared cache of a mount: files that have not changed since need not be read again. */
export interface MountRecord {
  readonly tree: PackedTree;
  /** How many packs it has. */
  readonly packs: number;
  /** By path (a byte string), what {@link identityOf} says. */
  readonly identities: ReadonlyMap<string, string>;
}

/** What a file is as long as nobody has written to it. */
export function identityOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** File beside the mount `at` that holds the blob of its tree. */
export function recordedTree(at: string): string {
  return `${at}.tree`;
}

function identitiesFile(at: string): string {
  return `${at}.files`;
}

/** The record of the mount `at`, null when there is none that can be used. */
export function readRecord(at: string): MountRecord | null {
  try {
    const { digest, packs, files } = JSON.parse(zlib.gunzipSync(readFileSync(identitiesFile(at))).toString("utf8")) as Written;
    const blob = readFileSync(recordedTree(at));
    return digestOf(blob) === digest ? { tree: decodeTree(blob, packs), packs, identities: new Map(files) } : null;
  } catch {
    return null;
  }
}

/** Digest of the tree that the mount `at` was last in a cache as, null when nobody knows. */
export function recordedDigest(at: string): string | null {
  return existsSync(recordedTree(at)) ? `sha256:${digestOf(readFileSync(recordedTree(at)))}` : null;
}

interface Written {
  readonly digest: string;
  readonly packs: number;
  readonly files: readonly (readonly [string, string])[];
}

/** Notes a tree. `scratch` is a path on the same file system that ends with this process; it is written first. */
export function writeRecord(at: string, scratch: string, { blob, packs, files }: Omit<Written, "digest"> & { readonly blob: Buffer }): void {
  const replace = (target: string, bytes: Buffer): void => {
    writeFileSync(scratch, bytes);
    renameSync(scratch, target);
  };
  replace(recordedTree(at), blob);
  const written: Written = { digest: digestOf(blob), packs, files };
  replace(identitiesFile(at), zlib.gzipSync(JSON.stringify(written), { level: 1 }));
}

/** Forgets what is noted of the mount `at`. */
export function removeRecord(at: string): void {
  for (const file of [recordedTree(at), identitiesFile(at)]) rmSync(file, { force: true });
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
