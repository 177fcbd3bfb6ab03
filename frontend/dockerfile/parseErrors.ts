import { type SourceRange, TbuildError } from "../../cache/errors.js";

/** A mistake in the text of a Dockerfile. */
export function parseFailed(message: string, at: SourceRange, hint?: string): TbuildError {
  return new TbuildError("parse_failed", message, { at, hint });
}

/** "Did you mean", or nothing when there is nothing to propose. */
export function didYouMean(candidate: string | null): string | undefined {
  return candidate === null ? undefined : `Did you mean "${candidate}"?`;
}

/** `text` in quotes, cut to a length that fits in a message. */
export function quoted(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return `"${shown}"`;
}

/** One error out of many: the first carries the rest as `others`. `mistakes` has at least one element. */
export function joinMistakes(mistakes: readonly TbuildError[]): TbuildError {
  const [first, ...others] = mistakes as readonly [TbuildError, ...TbuildError[]];
  const { code, message, at, hint, cause } = first;
  return new TbuildError(code, message, { at, hint, cause, others });
}
