import type { FileContentStore } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { type Digest, hexOf } from "../../cache/oci/digest.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import type { Document } from "../image/assemble.js";
import type { LayoutSink } from "../image/layout.js";

/** An image for `docker load`. */
export interface EngineImage {
  /** Full references. */
  readonly names: readonly string[];
  readonly config: Document;
  /** Diff IDs of all layers, base first. */
  readonly layers: readonly Digest[];
  /** Blobs of the last of them: the engine has those below. */
  readonly blobs: readonly Descriptor[];
}

/**
 * Writes an archive of what an engine lacks of an image. Layers that the engine has are named and left out: it looks for a
 * layer by its chain first, and opens only the files of those it lacks. Source: moby image/tarexport/load.go
 */
export async function writeEngineArchive(sink: LayoutSink, content: FileContentStore, { names, config, layers, blobs }: EngineImage): Promise<void> {
  const known = layers.length - blobs.length;
  const files = layers.map((diffId, index) => (index < known ? `${hexOf(diffId)}.tar` : `${hexOf(blobs[index - known]!.digest)}.tar`));
  for (const [index, { digest, size }] of blobs.entries()) await sink.file(files[known + index]!, { path: content.pathOf(digest), size });
  const configName = `${hexOf(config.descriptor.digest)}.json`;
  await sink.file(configName, config.bytes);
  const entry = { Config: configName, RepoTags: names.map((name) => familiarReference(parseReference(name))), Layers: files };
  await sink.file("manifest.json", Buffer.from(JSON.stringify([entry])));
}

/** How many of `layers`, from the base on, one of the engine's images has as well. */
export function commonLayers(layers: readonly Digest[], images: readonly (readonly Digest[])[]): number {
  return Math.max(0, ...images.map((image) => prefixLength(layers, image)));
}

function prefixLength(a: readonly Digest[], b: readonly Digest[]): number {
  const different = a.findIndex((digest, index) => digest !== b[index]);
  return different < 0 ? a.length : different;
}
