import type { IgnoreRules } from "../cache/tree/patterns.js";
import { cleanPath } from "./dockerfile/contextPaths.js";

/**
 * Reads an ignore file: one pattern a line; "#" in the first column is a comment; a byte order mark, blanks around and a
 * leading "/" go; paths are cleaned; "!" stays in front. Source: moby/patternmatcher, ignorefile.
 */
export function parseIgnore(text: string): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return lines.filter((line) => !line.startsWith("#")).map((line) => line.trim()).filter((line) => line !== "").map(cleanPattern);
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
