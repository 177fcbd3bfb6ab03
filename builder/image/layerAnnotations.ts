import type { Descriptor } from "../../cache/oci/descriptor.js";

/** Annotation of an eStargz layer's descriptor: digest of its table of contents. Source: stargz-snapshotter, docs/estargz.md */
export const tocDigestAnnotation = "containerd.io/snapshot/stargz/toc.digest";

/** Annotation of an eStargz layer's descriptor: bytes of all that its blob decompresses to. */
export const uncompressedSizeAnnotation = "io.containers.estargz.uncompressed-size";

/** Annotation of a layer's descriptor: seconds that no time in it is later than. Source: BuildKit, util/converter */
export const rewrittenAnnotation = "buildkit/rewritten-timestamp";

/** Those of a layer's annotations that are for others to read; undefined when there are none. */
export function layerAnnotations(annotations: Descriptor["annotations"]): Descriptor["annotations"] {
  const known = [tocDigestAnnotation, uncompressedSizeAnnotation, rewrittenAnnotation].flatMap((key) => {
    const value = annotations?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
