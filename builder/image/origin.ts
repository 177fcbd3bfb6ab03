/** Annotation of a layer's stored descriptor: the repository it came from, so that a pruned blob can be fetched again. */
export const sourceAnnotation = "tbuild.source";
