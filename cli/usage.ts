import { TbuildError } from "../cache/errors.js";
import { suggest } from "../frontend/dockerfile/suggest.js";

/** A wrong command line. */
export function usage(message: string, hint: string): TbuildError {
  return new TbuildError("usage", message, { hint });
}

/** A word that is none of `known`, for example `Unknown output type "ocl"`, with the closest one as the hint. */
export function unknownWord(what: string, word: string, known: readonly string[]): TbuildError {
  const near = suggest(word, known);
  return usage(`Unknown ${what} "${word}"`, near === null ? `One of ${known.join(", ")}` : `Did you mean "${near}"?`);
}
