import { createReadStream, mkdirSync, readdirSync, rmSync, statSync, type Stats } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { cancelled, fromSystemError } from "../errors.js";
import { releaseOwnFile, tryOwnFile } from "../lockFile.js";
import { type Digest, digestOf, hexOf, isDigest } from "../oci/digest.js";
import { diskIngest } from "./diskIngest.js";
import { blobNotFound, ingestHeld } from "./errors.js";
import type { BlobInfo, FileContentStore } from "./store.js";

const CHUNK_BYTES = 1 << 20;

/** Begins the names of writes that another process may go on with; no lease is called so. */
const RESUMABLE = "resumable-";

/** Options of {@link diskContentStore}. */
export interface DiskContentOptions {
  /** Id of the lease that unfinished writes belong to; unique among the processes that share the root. */
  readonly lease: string;
  /** Called with each digest before it is looked at or made visible, so that nobody removes it meanwhile. */
  readonly pin?: ((digest: Digest) => Promise<void>) | undefined;
  /** Asked before so many bytes are kept; throws when there is no room for them. */
  readonly admit?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * A content store in the directory `root`, which is created when missing: `blobs/sha256/<hex>` for what is committed,
 * `ingest/<lease>-<n>` and `ingest/resumable-<ref>` for what is being written, `locks/` for the refs in progress. Many
 * processes may share it.
 */
export function diskContentStore(root: string, { lease, pin = async () => {}, admit = async () => {} }: DiskContentOptions): FileContentStore {
  const blobs = path.join(root, "blobs", "sha256");
  const ingests = path.join(root, "ingest");
  const locks = path.join(root, "locks");
  for (const dir of [blobs, ingests, locks]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  let written = 0;

  const pathOf = (digest: Digest) => path.join(blobs, hexOf(digest));
  const scratchPath = () => path.join(ingests, `${lease}-${written++}`);
  const adopt: FileContentStore["adopt"] = async (file, digest, worth = "lasting") => {
    await pin(digest);
    await admit(statSync(file).blocks * 512);
    return await publish(file, pathOf(digest), digest, worth);
  };

  return {
    pathOf,
    scratchPath,
    adopt,
    async info(digest) {
      await pin(digest);
      return blobInfo(digest, statBlob(pathOf(digest), digest));
    },
    async *read(digest, { offset = 0, signal } = {}) {
      await pin(digest);
      statBlob(pathOf(digest), digest);
      for await (const chunk of createReadStream(pathOf(digest), { start: offset, highWaterMark: CHUNK_BYTES })) {
        if (signal?.aborted) throw cancelled(signal);
        yield chunk as Buffer;
      }
    },
    async ingest(ref, { signal, resume = false } = {}) {
      if (signal?.aborted) throw cancelled(signal);
      const name = hexOf(digestOf(ref));
      const lock = tryOwnFile(path.join(locks, name));
      if (lock === null) throw ingestHeld(ref);
      if (!resume) return await diskIngest(scratchPath(), lock, "fresh", adopt);
      return await diskIngest(path.join(ingests, `${RESUMABLE}${name}`), lock, "resume", adopt);
    },
    walk: () => walkBlobs(blobs),
    delete: (digest) => rm(pathOf(digest), { force: true }),
  };
}

/** Removes the unfinished writes of a lease whose process is gone. `root` as for {@link diskContentStore}. */
export function removeIngestsOf(root: string, lease: string): void {
  const ingests = path.join(root, "ingest");
  for (const name of readdirSync(ingests)) {
    if (name.startsWith(`${lease}-`)) rmSync(path.join(ingests, name), { force: true });
  }
}

/** Removes what killed processes left for others to go on with, unless somebody does. `root` as for {@link diskContentStore}. */
export function removeResumable(root: string): void {
  const ingests = path.join(root, "ingest");
  for (const name of readdirSync(ingests).filter((entry) => entry.startsWith(RESUMABLE))) {
    const lock = tryOwnFile(path.join(root, "locks", name.slice(RESUMABLE.length)));
    if (lock === null) continue;
    rmSync(path.join(ingests, name), { force: true });
    releaseOwnFile(lock);
  }
}

/** Removes the lock files of writes whose process is gone. `root` as for {@link diskContentStore}. */
export function removeLostLocks(root: string): void {
  const locks = path.join(root, "locks");
  for (const name of readdirSync(locks)) {
    const lock = tryOwnFile(path.join(locks, name));
    if (lock !== null) releaseOwnFile(lock);
  }
}

// fsync before rename: after a power loss the name must not lead to an empty file.
async function publish(from: string, to: string, digest: Digest, worth: "lasting" | "expendable"): Promise<BlobInfo> {
  try {
    if (worth === "lasting") await syncFile(from);
    if (statSync(to, { throwIfNoEntry: false }) === undefined) await rename(from, to);
    else await rm(from);
    if (worth === "lasting") await syncFile(path.dirname(to));
  } catch (error) {
    throw fromSystemError(error);
  }
  return blobInfo(digest, statBlob(to, digest));
}

async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, "r");
  await handle.sync();
}

function statBlob(file: string, digest: Digest): Stats {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) throw blobNotFound(digest);
  return stats;
}

function blobInfo(digest: Digest, stats: Stats): BlobInfo {
  return { digest, size: stats.size, createdAt: stats.mtimeMs };
}

async function* walkBlobs(dir: string): AsyncGenerator<BlobInfo> {
  for (const name of readdirSync(dir)) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) continue;
    const stats = statSync(path.join(dir, name), { throwIfNoEntry: false });
    if (stats?.isFile()) yield blobInfo(digest, stats);
  }
}
