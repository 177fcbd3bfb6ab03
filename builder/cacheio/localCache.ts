import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { FileContentStore, Opts } from "../../cache/content/store.js";
import { cancelled, fromSystemError, hasCode, isTbuildError, TbuildError } from "../../cache/errors.js";
import { type Descriptor, type Index, mediaTypes } from "../../cache/oci/descriptor.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import type { Reference } from "../../cache/oci/reference.js";
import { type Lock, tryLock } from "../../cache/sys/lock.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { Document } from "../image/assemble.js";
import { descriptor, indexJson } from "../image/canonical.js";
import { parseManifest } from "../registry/manifest.js";
import type { PushBlob } from "../registry/pushBlob.js";
import { createLayoutClient, findInLayout } from "../source/layoutClient.js";
import { layoutOrigin } from "../source/ociLayout.js";
import type { CacheSource, CacheTarget, TargetState } from "./backend.js";
import { cacheContents, type CacheDocuments, cacheDocuments, type CacheForm } from "./cacheManifest.js";
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

const REF_NAME = "org.opencontainers.image.ref.name";

function readIndex(dir: string): Index {
  const file = path.join(dir, "index.json");
  const empty: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
  if (!existsSync(file)) return empty;
  const parsed = parseManifest(readFileSync(file), `the index of "${dir}"`);
  return parsed.kind === "index" ? parsed.index : empty;
}

function versionOf(dir: string, tag: string): Digest | undefined {
  return readIndex(dir).manifests.find(({ annotations }) => annotations?.[REF_NAME] === tag)?.digest;
}

async function writeIndex(dir: string, { descriptor: { mediaType, digest, size } }: Document, tag: string): Promise<void> {
  const index = readIndex(dir);
  const entry: Descriptor = { mediaType, digest, size, annotations: { [REF_NAME]: tag } };
  const manifests = [...index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== tag), entry];
  await replace(path.join(dir, "oci-layout"), Buffer.from(`{"imageLayoutVersion":"1.0.0"}`));
  await replace(path.join(dir, "index.json"), indexJson({ ...index, mediaType: mediaTypes.ociIndex, manifests }));
}

/** Removes blobs that no manifest of the index leads to. */
function removeUnnamed(dir: string): void {
  const named = new Set<string>();
  const visit = (digest: Digest): void => {
    if (named.has(hexOf(digest))) return;
    named.add(hexOf(digest));
    const file = blobPath(dir, digest);
    if (!existsSync(file)) return;
    const parsed = parseManifest(readFileSync(file), `manifest ${digest} of "${dir}"`);
    const plain = cacheContents(parsed);
    if (plain !== null) for (const blob of [plain.config, ...plain.blobs]) named.add(hexOf(blob.digest));
    else if (parsed.kind === "manifest") for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) named.add(hexOf(blob.digest));
    else for (const entry of parsed.index.manifests) visit(entry.digest);
  };
  for (const { digest } of readIndex(dir).manifests) visit(digest);
  const blobs = path.join(dir, "blobs/sha256");
  for (const name of readdirSync(blobs)) if (/^[0-9a-f]{64}$/.test(name) && !named.has(name)) rmSync(path.join(blobs, name), { force: true });
}

const POLL_MS = 50;

/** The lock that buildx takes too. Source: buildkit client/ociindex. */
async function lockIndex(dir: string, { signal }: Opts): Promise<Lock> {
  for (;;) {
    const lock = tryLock(path.join(dir, "index.json.lock"));
    if (lock !== null) return lock;
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw cancelled(signal);
    });
  }
}

function blobPath(dir: string, digest: Digest): string {
  return path.join(dir, "blobs/sha256", hexOf(digest));
}

/** A file appears when it is complete. */
async function writeOnce(target: string, write: (file: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) return;
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}.tmp`);
  try {
    await write(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function replace(target: string, bytes: Buffer): Promise<void> {
  const temporary = `${target}.${randomUUID()}.tmp`;
  await writeFile(temporary, bytes, { flag: "wx" });
  await rename(temporary, target);
}

function writeError(error: unknown, dir: string): unknown {
  const known = fromSystemError(error, dir);
  const { code } = error as NodeJS.ErrnoException;
  if (isTbuildError(known) || code === undefined || code === "ABORT_ERR") return known;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new TbuildError(denied ? "permission_denied" : "invalid_argument", `Cannot write "${dir}": ${code}`, { cause: error });
}
