import type { IgnoreRules } from "../cache/tree/patterns.js";
import { cleanPath } from "./dockerfile/contextPaths.js";

/** The rules of an ignore file, and where each stands. */
export interface NumberedRules {
  readonly rules: IgnoreRules;
  /** Line of the file, from 1, of the rule with the same index. */
  readonly lines: readonly number[];
}

/**
 * Reads an ignore file: one pattern a line; "#" in the first column is a comment; a byte order mark, blanks around and a
 * leading "/" go; paths are cleaned; "!" stays in front. Source: moby/patternmatcher, ignorefile.
 */
export function parseIgnore(text: string): IgnoreRules {
  return parseNumberedIgnore(text).rules;
}

/** Like {@link parseIgnore}, with the line of each rule. */
export function parseNumberedIgnore(text: string): NumberedRules {
  const rules: string[] = [];
  const lines: number[] = [];
  text.replace(/^\uFEFF/, "").split("\n").forEach((line, index) => {
    if (line.startsWith("#") || line.trim() === "") return;
    rules.push(cleanPattern(line.trim()));
    lines.push(index + 1);
  });
  return { rules, lines };
}

function cleanPattern(line: string): string {
  if (!line.startsWith("!")) return withoutRoot(line);
  return `!${withoutRoot(line.slice(1).trim())}`;
}

function withoutRoot(pattern: string): string {
  if (pattern === "") return "";
  const clean = cleanPath(pattern);
  return clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
}
