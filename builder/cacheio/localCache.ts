import { createReadStream, createWriteStream, existsSync, mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { FileContentStore, Opts } from "../../cache/content/store.js";
import { fromSystemError, hasCode, isTbuildError, TbuildError } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { descriptor } from "../image/canonical.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { createLayoutClient, findInLayout } from "../source/layoutClient.js";
import { layoutOrigin } from "../source/ociLayout.js";
import type { CacheSource, CacheTarget, TargetState } from "./backend.js";
import { type CacheDocuments, cacheDocuments, type CacheForm } from "./cacheManifest.js";
import { blobPath, lockIndex, removeUnnamed, versionOf, writeIndex, writeOnce } from "./localIndex.js";
import { readRegistryCache } from "./readCache.js";
import { emptyCache } from "./sharedCache.js";

/** A directory of this machine with an OCI layout in it. */
export interface LocalAccess {
  /** Absolute path. */
  readonly dir: string;
  readonly content: FileContentStore;
}

/** `type=local,src=…`: what a tag of the layout names, or a digest. */
export function localSource({ dir, content }: LocalAccess, tag: string, digest: Digest | null): CacheSource {
  return {
    name: `local:${dir}`,
    async read(opts) {
      const { caches } = await readRegistryCache({ client: createLayoutClient(dir), content }, at(digest ?? findInLayout(dir, tag)), dir, opts);
      return caches.map((cache) => ({ cache, origin: layoutOrigin + dir }));
    },
  };
}

/** How a directory is written. */
export interface LocalOptions {
  readonly tag: string;
  readonly form: CacheForm;
  /** "reset": nothing of what the tag had is kept, and blobs that nothing in the directory names are removed. */
  readonly keep: "merge" | "reset";
}

/** `type=local,dest=…`. Others who write there wait: tbuild and buildx lock the same file. */
export function localTarget({ dir, content }: LocalAccess, { tag, form, keep }: LocalOptions): CacheTarget {
  return {
    step: "exporting cache to client directory",
    name: dir,
    fetch: (blob, opts) => createLayoutClient(dir).fetchBlob(at(blob.digest), blob, content, opts),
    read: async (opts) => await readState({ dir, content }, { tag, keep }, opts),
    async write(cache, state, blobs, opts) {
      const documents = cacheDocuments(cache, form);
      const isCurrent = (version: Digest | null): boolean => version === (state?.version ?? null);
      if (!(await writeDocuments({ dir, content }, documents, { tag, keep, isCurrent }, blobs, opts))) return "changed";
      return { metadata: { "cache.manifest": JSON.stringify(descriptor(documents.manifest.descriptor)) } };
    },
  };
}

/** Where {@link writeDocuments} writes. */
export interface LocalPlace extends Pick<LocalOptions, "tag" | "keep"> {
  /** Asked of what the tag names when it is to be replaced; null is nothing. */
  isCurrent(version: Digest | null): boolean;
}

/** Puts a cache into a directory and names it there. False: it was not named, because what the tag names is not current. @throws {TbuildError} */
export async function writeDocuments(
  { dir, content }: LocalAccess,
  { manifest, config }: CacheDocuments,
  { tag, keep, isCurrent }: LocalPlace,
  blobs: ReadonlyMap<Digest, Pick<PushBlob, "fetch">>,
  opts: Opts,
): Promise<boolean> {
  try {
    mkdirSync(path.join(dir, "blobs/sha256"), { recursive: true });
    for (const [digest, blob] of blobs) {
      if (existsSync(blobPath(dir, digest))) continue;
      await blob.fetch();
      const source = content.pathOf(digest);
      await writeOnce(blobPath(dir, digest), (file) => pipeline(createReadStream(source), createWriteStream(file, { flags: "wx" }), opts));
    }
    for (const { bytes, descriptor: own } of [config, manifest]) {
      await writeOnce(blobPath(dir, own.digest), (file) => writeFile(file, bytes, { flag: "wx" }));
    }
    using _lock = await lockIndex(dir, opts);
    if (!isCurrent(versionOf(dir, tag) ?? null)) return false;
    await writeIndex(dir, manifest, tag);
    if (keep === "reset") removeUnnamed(dir);
    return true;
  } catch (error) {
    throw writeError(error, dir);
  }
}

async function readState(
  { dir, content }: LocalAccess,
  { tag, keep }: Pick<LocalOptions, "tag" | "keep">,
  opts: StepOpts,
): Promise<TargetState | null> {
  const version = versionOf(dir, tag);
  if (version === undefined) return null;
  const empty = { cache: emptyCache, version };
  if (keep === "reset") return empty;
  try {
    const { caches } = await readRegistryCache({ client: createLayoutClient(dir), content }, at(version), dir, opts);
    return { cache: caches[0] ?? empty.cache, version };
  } catch (error) {
    if (hasCode(error, "cancelled")) throw error;
    return empty;
  }
}

function at(digest: Digest): Reference {
  return { registry: "localhost", repository: "layout/cache", tag: null, digest };
}

function writeError(error: unknown, dir: string): unknown {
  const known = fromSystemError(error, dir);
  const { code } = error as NodeJS.ErrnoException;
  if (isTbuildError(known) || code === undefined || code === "ABORT_ERR") return known;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new TbuildError(denied ? "permission_denied" : "invalid_argument", `Cannot write "${dir}": ${code}`, { cause: error });
}
