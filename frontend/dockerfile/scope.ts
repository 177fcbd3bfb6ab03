import type { SourceRange } from "../../cache/errors.js";
import type { StageContext, StageState } from "./convertState.js";
import { type ExpandResult, expandRaw, expandWord, expandWords } from "./expand.js";
import type { Word } from "./instruction.js";
import { violation } from "./lint.js";
import { suggest } from "./suggest.js";

/** One word with the variables of the stage, quotes removed. @throws {TbuildError} invalid_argument for `${v:?message}` */
export function expand(word: Word, s: StageState, c: StageContext, at: SourceRange): string {
  return reporting(expandWord(word, s.env, c.escape, at), s, c, at).text;
}

/** Like {@link expand}, for a word that may become several. */
export function expandMany(word: Word, s: StageState, c: StageContext, at: SourceRange): readonly string[] {
  const { words } = expandWords(word, s.env, c.escape, at);
  return words;
}

/** Variables only; quotes stay. For bodies of here-documents, whose escape character is always "\". */
export function expandBody(text: string, s: StageState, c: StageContext, at: SourceRange): string {
  return reporting(expandRaw(text, s.env, "\\", at), s, c, at).text;
}

function reporting(result: ExpandResult, s: StageState, c: StageContext, at: SourceRange): ExpandResult {
  if (result.unmatched.length > 0) reportUnset(result.unmatched, s, c, at);
  return result;
}

function reportUnset(names: readonly string[], s: StageState, c: StageContext, at: SourceRange): void {
  for (const name of names) {
    if (s.args.some((arg) => arg.key === name)) continue;
    c.warn(violation("UndefinedVar", at, name, suggest(name, s.env.keys()) ?? ""));
  }
}
