import type { SourceRange } from "../../cache/errors.js";
import type { OpMetadata } from "./op.js";

/** Metadata of one op that was written twice: no cache if either says so; for the rest the first one counts. */
export function mergeMetadata(first: OpMetadata, second: OpMetadata): OpMetadata {
  return {
    ...second,
    ...first,
    ignoreCache: first.ignoreCache || second.ignoreCache,
    description: { ...second.description, ...first.description },
    caps: [...new Set([...first.caps, ...second.caps])],
    progressGroup: first.progressGroup ?? second.progressGroup,
  };
}

/** The ranges of both, each once, in order. */
export function unionOfRanges(known: readonly SourceRange[], more: readonly SourceRange[]): readonly SourceRange[] {
  if (known.length === 0) return more;
  const texts = new Set(known.map((range) => JSON.stringify(range)));
  return [...known, ...more.filter((range) => !texts.has(JSON.stringify(range)))];
}
