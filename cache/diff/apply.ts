import { createHash } from "node:crypto";
import type { JobContext } from "../bulk/jobs.js";
import type { ApartOutput, ApplyInput, ApplyOutput } from "../bulk/layerJobs.js";
import { TbuildError } from "../errors.js";
import { finishDigest } from "../oci/digest.js";
import { createApartTree, NeedsBelow } from "./apartTree.js";
import { openDecompressed } from "./decompress.js";
import { unpackError } from "./errors.js";
import { createLayerTree, type LayerTree } from "./layerTree.js";
import { openTar } from "./reader.js";
import { fromWindows } from "./windows.js";

/**
 * Unpacks a layer (a tar, compressed or not) over what `input.root` shows. Nothing is written outside the root, whatever
 * names and symlinks the layer holds. Directories that the layer does not mention keep their mtime. When it fails, the
 * tree is left half done. Source: OCI image-spec, layer.md "Applying Changesets"
 * @throws {TbuildError} parse_failed, corrupt, unsupported, path_escape, permission_denied; resource_exhausted when the
 * tar, or a sparse file in it, is larger than `maxBytes`
 */
export function applyLayer(input: ApplyInput, ctx: JobContext): ApplyOutput {
  return unpackInto(createLayerTree(input.root), input, ctx);
}

/**
 * Unpacks a layer as {@link applyLayer} does, but into an empty directory that will lie over the layers below it. Null when
 * an entry means something only together with those, such as a file in a directory of theirs.
 */
export function applyApart(input: ApplyInput, ctx: JobContext): ApartOutput | null {
  const tree = createApartTree(input.root);
  try {
    const applied = unpackInto(tree, input, ctx);
    return { ...applied, ...tree.left() };
  } catch (error) {
    if (error instanceof NeedsBelow) return null;
    throw error;
  }
}

function unpackInto(tree: LayerTree, input: ApplyInput, ctx: JobContext): ApplyOutput {
  using blob = openDecompressed(input.blob);
  const hash = createHash("sha256");
  let size = 0;
  const tar = openTar(blob.read, (chunk) => {
    size += chunk.length;
    checkSize(size, input.maxBytes);
    hash.update(chunk);
    ctx.tick(chunk.length, 0);
  });
  let isWindows = false;
  for (let entry = tar.next(); entry !== null; entry = tar.next()) {
    checkSize(entry.size, input.maxBytes);
    isWindows ||= entry.records !== undefined;
    const own = isWindows ? fromWindows(entry) : entry;
    try {
      if (own !== null) tree.apply(own, tar.readBody);
    } catch (error) {
      throw unpackError(error, entry.name);
    }
    ctx.tick(0, 1);
  }
  tree.finish();
  return { diffId: finishDigest(hash), size };
}

function checkSize(size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new TbuildError("resource_exhausted", `Cannot unpack more than ${maxBytes} bytes`);
}
