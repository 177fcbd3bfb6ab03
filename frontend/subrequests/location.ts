import type { SourceRange } from "../../cache/errors.js";

/** Where something is in the sources of a result: the form of BuildKit's pb.Location. */
export interface Location {
  /** Into `sources`; there is one. */
  readonly sourceIndex: number;
  readonly ranges: readonly {
    /** Lines count from 1, characters from 0; the end is behind the last character. */
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  }[];
}

/** The location of a range in the one source; nothing in it when there is no range. */
export function locationOf(at: SourceRange | null | undefined): Location {
  if (at === null || at === undefined) return { sourceIndex: 0, ranges: [] };
  const start = { line: at.start.line, character: at.start.column - 1 };
  return { sourceIndex: 0, ranges: [{ start, end: { line: at.end.line, character: at.end.column } }] };
}
