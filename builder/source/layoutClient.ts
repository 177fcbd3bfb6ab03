import { createReadStream, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { ContentStore, Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { Descriptor, Index } from "../../cache/oci/descriptor.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { suggest } from "../../frontend/dockerfile/suggest.js";
import { hasBlob, type RegistryClient } from "../registry/client.js";
import { manifestLimit, parseManifest } from "../registry/manifest.js";

/** Annotation of an entry of index.json: its tag. Source: OCI image-spec annotations.md */
const REF_NAME = "org.opencontainers.image.ref.name";

/**
 * Reads an OCI layout as if it were a registry with one repository, so that images come from it by the same steps. Every byte
 * is checked against its digest. Source: OCI image-spec image-layout.md
 */
export function createLayoutClient(dir: string): RegistryClient {
  return {
    head: async () => null,
    async manifest({ digest: given, tag }) {
      const digest = given ?? findInLayout(dir, tag);
      const bytes = readVerified(dir, digest);
      return { descriptor: { mediaType: "", digest, size: bytes.length }, bytes };
    },
    blobSize: async (_reference, digest) => sizeOf(dir, digest),
    fetchBlob: async (_reference, descriptor, content, opts = {}) => copyBlob(dir, descriptor, content, opts),
    [Symbol.dispose]: () => {},
  };
}

/** What a tag means in a layout; without one it is "latest", or the only image that there is. @throws {TbuildError} not_found, corrupt */
export function findInLayout(dir: string, tag: string | null): Digest {
  return findEntry(dir, readIndex(dir), tag).digest;
}

function readIndex(dir: string): Index {
  const name = `the index of the OCI layout "${dir}"`;
  const parsed = parseManifest(readLimited(path.join(dir, "index.json"), name), name);
  if (parsed.kind === "index") return parsed.index;
  throw new TbuildError("corrupt", `Cannot read ${name}: it is no index`);
}

function findEntry(dir: string, index: Index, tag: string | null): Descriptor {
  const tagOf = ({ annotations }: Descriptor): string => annotations?.[REF_NAME]?.split(":").at(-1) ?? "";
  const found = index.manifests.find((entry) => tagOf(entry) === (tag ?? "latest"));
  if (found !== undefined) return found;
  const [only, another] = index.manifests;
  if (tag === null && only !== undefined && another === undefined) return only;
  const tags = index.manifests.map(tagOf).filter((name) => name !== "");
  const near = suggest(tag ?? "latest", tags);
  const hint = near !== null ? `Did you mean "${near}"?` : tags.length > 0 ? `It has ${tags.join(", ")}` : "Name a digest: oci-layout://PATH@sha256:…";
  throw new TbuildError("not_found", `Cannot find "${tag ?? "latest"}" in the OCI layout "${dir}"`, { hint });
}

function blobPath(dir: string, digest: Digest): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return path.join(dir, "blobs", algorithm, hex);
}

function readVerified(dir: string, digest: Digest): Buffer {
  const bytes = readLimited(blobPath(dir, digest), `blob ${digest} of the OCI layout "${dir}"`);
  const got = digestOf(bytes);
  if (got !== digest) throw new TbuildError("digest_mismatch", `Cannot use blob ${digest} of the OCI layout "${dir}": its digest is ${got}`);
  return bytes;
}

function readLimited(file: string, what: string): Buffer {
  try {
    if (statSync(file).size > manifestLimit) throw new TbuildError("corrupt", `Cannot read ${what}: larger than ${manifestLimit} bytes`);
    return readFileSync(file);
  } catch (error) {
    throw missing(error, what);
  }
}

function sizeOf(dir: string, digest: Digest): number {
  try {
    return statSync(blobPath(dir, digest)).size;
  } catch (error) {
    throw missing(error, `blob ${digest} of the OCI layout "${dir}"`);
  }
}

async function copyBlob(dir: string, { digest, size }: Descriptor, content: ContentStore, opts: Opts): Promise<void> {
  if (await hasBlob(content, { digest })) return;
  const what = `blob ${digest} of the OCI layout "${dir}"`;
  await using ingest = await content.ingest(`layout-${digest.replace(":", "-")}-${process.hrtime.bigint()}`, opts);
  try {
    for await (const chunk of createReadStream(blobPath(dir, digest)) as AsyncIterable<Buffer>) await ingest.write(chunk);
  } catch (error) {
    throw missing(error, what);
  }
  await ingest.commit({ digest, size });
}

function missing(error: unknown, what: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return new TbuildError("not_found", `Cannot read ${what}: it is not there`, { cause: error });
}
