import { chmodSync, copyFileSync, lstatSync, openSync, readSync, closeSync, statSync, unlinkSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { type Digest, isDigest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { HttpTransport } from "../registry/http.js";
import { hasBlob } from "../registry/client.js";
import { download } from "./httpDownload.js";
import { askBatch, type LfsAction, type LfsServer } from "./lfsBatch.js";

/** A file that is kept elsewhere: what stands for it in the commit. */
export interface LfsPointer {
  /** Absolute path of the file that stands for it. */
  readonly file: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A pointer is shorter. Source: git-lfs docs/spec.md */
const MAX_POINTER = 1024;
/** Objects that are asked for at once. */
const BATCH = 100;

/** Those of `files` that are pointers. */
export function findPointers(files: readonly string[]): readonly LfsPointer[] {
  return files.flatMap((file) => {
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > MAX_POINTER) return [];
    const pointer = parsePointer(startOf(file));
    return pointer === null ? [] : [{ file, ...pointer }];
  });
}

/** Null for what is no pointer. Source: git-lfs docs/spec.md */
export function parsePointer(text: string): Pick<LfsPointer, "digest" | "size"> | null {
  if (!/^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\n/.test(text)) return null;
  const [, digest = ""] = /^oid (sha256:[0-9a-f]{64})$/m.exec(text) ?? [];
  const [, size] = /^size (\d{1,15})$/m.exec(text) ?? [];
  return isDigest(digest) && size !== undefined ? { digest, size: Number(size) } : null;
}

function startOf(file: string): string {
  const fd = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(MAX_POINTER);
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** Where objects are put and how they come. */
export interface LfsFetch {
  readonly content: Store["content"];
  readonly transport: HttpTransport;
  readonly server: LfsServer;
}

/**
 * Puts the files in the place of their pointers; false when there is no LFS server, and nothing is changed. Files come
 * through the content store, so that none is fetched twice.
 * @throws {TbuildError} not_found for a file that the server has not, unauthorized, unavailable, digest_mismatch
 */
export async function resolvePointers(pointers: readonly LfsPointer[], fetch: LfsFetch, opts: StepOpts): Promise<boolean> {
  const missing = new Map<Digest, LfsPointer>();
  for (const pointer of pointers) if (!(await hasBlob(fetch.content, pointer))) missing.set(pointer.digest, pointer);
  const wanted = [...missing.values()];
  for (let at = 0; at < wanted.length; at += BATCH) {
    if (!(await fetchBatch(wanted.slice(at, at + BATCH), fetch, opts))) return false;
  }
  for (const pointer of pointers) replace(pointer, fetch.content.pathOf(pointer.digest));
  return true;
}

async function fetchBatch(pointers: readonly LfsPointer[], fetch: LfsFetch, opts: StepOpts): Promise<boolean> {
  const actions = await askBatch(fetch.transport, fetch.server, pointers, opts);
  if (actions === null) return false;
  for (const pointer of pointers) await fetchObject(pointer, actions.get(pointer.digest), fetch, opts);
  return true;
}

async function fetchObject({ file, digest, size }: LfsPointer, action: LfsAction | undefined, { content, transport, server }: LfsFetch, opts: StepOpts): Promise<void> {
  const name = path.basename(file);
  if (action === undefined || action.error !== null) {
    throw new TbuildError("not_found", `Cannot get "${name}" from the LFS server of "${redacted(server.url)}": ${action?.error ?? "it has no such object"}`);
  }
  const progress = (bytes: number) => opts.report.status(`LFS ${name}`, bytes, size);
  const got = await download(transport, content, new URL(action.href), { known: null, headers: action.headers, maxBytes: size, signal: opts.signal, progress });
  opts.report.statusDone(`LFS ${name}`);
  if (got.digest !== digest) throw new TbuildError("digest_mismatch", `Cannot use "${name}" of the LFS server: expected ${digest}, got ${got.digest}`);
}

/** A new file, with the mode that the pointer had. */
function replace({ file }: LfsPointer, blob: string): void {
  const { mode } = statSync(file);
  unlinkSync(file);
  copyFileSync(blob, file);
  chmodSync(file, mode & 0o777);
}
