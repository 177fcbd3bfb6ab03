import { isDeepStrictEqual } from "node:util";
import { TbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import type { ExportSpec } from "../exporter/exporter.js";
import { newName } from "../ops/snapshotStep.js";
import { hasBlob } from "../registry/client.js";
import { manifestLimit, parseManifest } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";
import type { BlobWriter } from "./session/contentStores.js";

/** Blobs that a builder has brought into the content store, or was told that they are there. */
export interface TakenBlobs {
  readonly writer: BlobWriter;
  /** The manifest or index that no other one is part of. @throws {TbuildError} corrupt when there is none */
  root(): Promise<Descriptor>;
}

/** Nothing has come yet. A blob that is here already is not sent. */
export function takenBlobs({ content }: Pick<Store, "content">): TakenBlobs {
  const digests = new Set<Digest>();
  return { writer: contentWriter(content, digests), root: async () => await rootOf(content, digests) };
}

/** Takes blobs into a content store, and notes in `taken` which have come or are there. */
export function contentWriter(content: Store["content"], taken: Set<Digest>): BlobWriter {
  return {
    async has(digest) {
      const there = await hasBlob(content, { digest });
      if (there) taken.add(digest);
      return there;
    },
    async begin(digest) {
      const ingest = await content.ingest(`builder-${digest.replace(":", "-")}-${newName()}`);
      return {
        write: (chunk) => ingest.write(chunk),
        async commit(expected) {
          await ingest.commit(expected);
          taken.add(digest);
        },
        [Symbol.asyncDispose]: () => ingest[Symbol.asyncDispose](),
      };
    },
  };
}

async function rootOf(content: Store["content"], digests: ReadonlySet<Digest>): Promise<Descriptor> {
  const found: Descriptor[] = [];
  const children = new Set<Digest>();
  for (const digest of digests) {
    const { size } = await content.info(digest);
    const parsed = size > manifestLimit ? null : manifestIn(await readBlob(content, digest, manifestLimit));
    if (parsed === null) continue;
    found.push({ mediaType: parsed.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest, digest, size });
    if (parsed.kind === "index") for (const child of parsed.index.manifests) children.add(child.digest);
  }
  const [root, another] = found.filter(({ digest }) => !children.has(digest));
  if (root !== undefined && another === undefined) return root;
  throw new TbuildError("corrupt", `Cannot take the image of the builder: it has sent ${root === undefined ? "none" : "several"}`);
}

/** A manifest or an index; null for another blob. */
export function manifestIn(bytes: Buffer): ReturnType<typeof parseManifest> | null {
  // Most blobs are layers.
  if (bytes[0] !== "{".charCodeAt(0)) return null;
  try {
    const { mediaType } = JSON.parse(bytes.toString("utf8")) as { readonly mediaType?: string };
    return mediaType === undefined ? null : parseManifest(bytes, "a manifest of the builder's");
  } catch {
    return null;
  }
}

/** Attributes that say where a layout goes, and nothing of what is in it. */
const PLACES = new Set(["dest", "name", "tar"]);

/**
 * All layouts of a build come into one content store, which can only tell them apart when they are the same.
 * @throws {TbuildError} unsupported
 */
export function checkLayouts(layouts: readonly ExportSpec[]): void {
  const kinds = layouts.map(({ type, attrs }) => ({ type, attrs: Object.fromEntries(Object.entries(attrs).filter(([key]) => !PLACES.has(key))) }));
  if (kinds.every((kind) => isDeepStrictEqual(kind, kinds[0]))) return;
  throw new TbuildError("unsupported", "Cannot write several layouts (tar=false) of different kinds on a builder", { hint: "Build them one after the other" });
}
