import type { ContentStore, Opts } from "../cache/content/store.js";
import type { Descriptor } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import { familiarReference, type Reference } from "../cache/oci/reference.js";
import type { Document } from "./image/assemble.js";
import { hasBlob, type RegistryClient } from "./registry/client.js";
import { manifestLimit, parseManifest, type ParsedManifest } from "./registry/manifest.js";
import type { PushImage } from "./registry/push.js";
import type { PushBlob } from "./registry/pushBlob.js";
import { putBlob, readBlob } from "./registry/resolve.js";

/** From where manifests come, and where they are kept on their way. */
export interface CopyAccess {
  readonly client: RegistryClient;
  readonly content: ContentStore;
}

/** Something in a repository that an index names. */
export interface CopySource {
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly parsed: ParsedManifest;
}

/**
 * What the repository of `name` must get for the index `made` of `sources`: nothing of what came from it. Manifests are read, blobs
 * only when they are sent. @throws {TbuildError} not_found, unauthorized, unavailable, corrupt
 */
export async function copiesFor(access: CopyAccess, sources: readonly CopySource[], made: Document, name: Reference, opts: Opts): Promise<PushImage> {
  const kept = new Set<string>(entryDigests(made));
  const needed: Contents[] = [];
  for (const { reference, descriptor, parsed } of sources) {
    if (reference.registry === name.registry && reference.repository === name.repository) continue;
    const entries = parsed.kind === "index" ? parsed.index.manifests : [descriptor];
    for (const entry of entries.filter(({ digest }) => kept.has(digest))) needed.push(await contentsOf(access, reference, entry, opts));
  }
  const root = made.descriptor;
  const children = needed.flatMap(({ manifests }) => manifests).filter(({ digest }) => digest !== root.digest);
  return { root, children: [...new Map(children.map((child) => [child.digest, child])).values()], blobs: needed.flatMap(({ blobs }) => blobs) };
}

function entryDigests({ bytes, descriptor }: Document): readonly Digest[] {
  const parsed = parseManifest(bytes, "the index");
  return parsed.kind === "index" ? parsed.index.manifests.map(({ digest }) => digest) : [descriptor.digest];
}

/** A manifest with what it needs; what is needed comes first. */
interface Contents {
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly PushBlob[];
}

async function contentsOf(access: CopyAccess, repository: Reference, manifest: Descriptor, opts: Opts): Promise<Contents> {
  const reference = { ...repository, digest: manifest.digest };
  const bytes = await manifestBytes(access, reference, opts);
  const parsed = parseManifest(bytes, `the manifest of "${familiarReference(reference)}"`);
  const pointer = { mediaType: manifest.mediaType, digest: manifest.digest, size: bytes.length };
  if (parsed.kind === "manifest") {
    const blobs = [parsed.manifest.config, ...parsed.manifest.layers].map((blob) => copiedBlob(access, reference, blob, opts));
    return { manifests: [pointer], blobs };
  }
  const inner: Contents[] = [];
  for (const entry of parsed.index.manifests) inner.push(await contentsOf(access, repository, entry, opts));
  return { manifests: [...inner.flatMap(({ manifests }) => manifests), pointer], blobs: inner.flatMap(({ blobs }) => blobs) };
}

async function manifestBytes({ client, content }: CopyAccess, reference: Reference & { readonly digest: Digest }, opts: Opts): Promise<Uint8Array> {
  if (!(await hasBlob(content, reference))) await putBlob(content, (await client.manifest(reference, opts)).bytes, reference.digest, opts);
  return await readBlob(content, reference.digest, manifestLimit);
}

function copiedBlob({ client, content }: CopyAccess, reference: Reference, { mediaType, digest, size }: Descriptor, opts: Opts): PushBlob {
  const descriptor = { mediaType, digest, size };
  const origin = `${reference.registry}/${reference.repository}`;
  return { descriptor, origin, fetch: () => client.fetchBlob(reference, descriptor, content, opts) };
}
