import type { Descriptor } from "../../cache/oci/descriptor.js";

/** Annotation of an eStargz layer's descriptor: digest of its table of contents. Source: stargz-snapshotter, docs/estargz.md */
export const tocDigestAnnotation = "containerd.io/snapshot/stargz/toc.digest";

/** Annotation of an eStargz layer's descriptor: bytes of all that its blob decompresses to. */
export const uncompressedSizeAnnotation = "io.containers.estargz.uncompressed-size";

/** Those of a descriptor's annotations that say how to read it as eStargz; undefined when there are none. */
export function estargzAnnotations(annotations: Descriptor["annotations"]): Descriptor["annotations"] {
  const known = [tocDigestAnnotation, uncompressedSizeAnnotation].flatMap((key) => {
    const value = annotations?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
