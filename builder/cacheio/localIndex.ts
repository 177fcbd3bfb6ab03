import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Opts } from "../../cache/content/store.js";
import { cancelled } from "../../cache/errors.js";
import { type Descriptor, type Index, mediaTypes } from "../../cache/oci/descriptor.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import { type Lock, tryLock } from "../../cache/sys/lock.js";
import type { Document } from "../image/assemble.js";
import { indexJson } from "../image/canonical.js";
import { parseManifest } from "../registry/manifest.js";
import { cacheContents } from "./cacheManifest.js";

const REF_NAME = "org.opencontainers.image.ref.name";

function readIndex(dir: string): Index {
  const file = path.join(dir, "index.json");
  const empty: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
  if (!existsSync(file)) return empty;
  const parsed = parseManifest(readFileSync(file), `the index of "${dir}"`);
  return parsed.kind === "index" ? parsed.index : empty;
}

/** What a tag names. */
export function versionOf(dir: string, tag: string): Digest | undefined {
  return readIndex(dir).manifests.find(({ annotations }) => annotations?.[REF_NAME] === tag)?.digest;
}

/** Lets a tag name a manifest. The caller has the lock. */
export async function writeIndex(dir: string, { descriptor: { mediaType, digest, size } }: Document, tag: string): Promise<void> {
  const index = readIndex(dir);
  const entry: Descriptor = { mediaType, digest, size, annotations: { [REF_NAME]: tag } };
  const manifests = [...index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== tag), entry];
  await replace(path.join(dir, "oci-layout"), Buffer.from(`{"imageLayoutVersion":"1.0.0"}`));
  await replace(path.join(dir, "index.json"), indexJson({ ...index, mediaType: mediaTypes.ociIndex, manifests }));
}

/** Removes blobs that no manifest of the index leads to. The caller has the lock. */
export function removeUnnamed(dir: string): void {
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
export async function lockIndex(dir: string, { signal }: Opts): Promise<Lock> {
  for (;;) {
    const lock = tryLock(path.join(dir, "index.json.lock"));
    if (lock !== null) return lock;
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw cancelled(signal);
    });
  }
}

/** Where a blob is, or would be. */
export function blobPath(dir: string, digest: Digest): string {
  return path.join(dir, "blobs/sha256", hexOf(digest));
}

/** A file appears when it is complete. */
export async function writeOnce(target: string, write: (file: string) => Promise<void>): Promise<void> {
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
