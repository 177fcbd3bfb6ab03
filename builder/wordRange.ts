import type { SourceRange } from "../cache/errors.js";
import { componentsOf } from "../cache/tree/names.js";

/**
 * The range of the word that is `path` in an instruction at `at`, so that an error points at one source of many; `at`
 * when there is none, as behind a variable.
 */
export function wordRange(at: SourceRange, text: string, path: string): SourceRange {
  const wanted = componentsOf(path).join("/");
  const lines = text.split("\n").slice(at.start.line - 1, at.end.line);
  for (const [index, line] of lines.entries()) {
    for (const { 0: word, index: column } of line.matchAll(/[^\s"',[\]=]+/g)) {
      if (componentsOf(word).join("/") !== wanted || (index === 0 && column < at.start.column)) continue;
      const number = at.start.line + index;
      return { file: at.file, start: { line: number, column: column + 1 }, end: { line: number, column: column + word.length } };
    }
  }
  return at;
}
