import { TbuildError } from "../../cache/errors.js";
import type { SourceSelector } from "./policy.js";

/** A match of a selector, with what its groups stand for. */
export interface SelectorMatch {
  /** Replaces the selector's groups in a text, `$1`, `${1}` and `${name}`. */
  format(text: string): string;
}

/** How an identifier fits a selector; null when it does not. @throws {TbuildError} invalid_argument for a bad pattern */
export function matchIdentifier({ identifier, match }: SourceSelector, source: string): SelectorMatch | null {
  if (match === "exact") return identifier === source ? { format: (text) => text } : null;
  const pattern = match === "wildcard" ? wildcard(identifier) : goPattern(identifier);
  const found = pattern.exec(source);
  if (match === "regex" && found !== null) return { format: (text) => replaceEach(source, pattern, text) };
  if (found !== null) return { format: (text) => expand(text, found) };
  return identifier === source ? { format: () => source } : null;
}

/** True when a regular expression fits somewhere in a text. @throws {TbuildError} invalid_argument */
export function fitsPattern(pattern: string, text: string): boolean {
  return goPattern(pattern).test(text);
}

/** `*` stands for any text, and is a group. Source: BuildKit, util/wildcard. */
function wildcard(text: string): RegExp {
  if (text.includes("**")) throw new TbuildError("invalid_argument", `Cannot use "${text}" in a source policy: "**" is no wildcard`);
  const quoted = text.replace(/[.+?^${}()|[\]\\/]/g, "\\$&").replaceAll("*", "(.*)");
  return new RegExp(`^${quoted}$`);
}

/** Go's regular expressions, as far as JavaScript writes them otherwise. */
function goPattern(text: string): RegExp {
  const [, flags = "", body = ""] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(text)!;
  const source = body.replaceAll("(?P<", "(?<").replaceAll("\\A", "^").replaceAll("\\z", "$");
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new TbuildError("invalid_argument", `Cannot use "${text}" in a source policy: it is no regular expression`, { cause });
  }
}

function replaceEach(source: string, { source: pattern, flags }: RegExp, text: string): string {
  let at = 0;
  let done = "";
  for (const found of source.matchAll(new RegExp(pattern, `${flags}g`))) {
    done += source.slice(at, found.index) + expand(text, found);
    at = found.index + found[0].length;
  }
  return done + source.slice(at);
}

/** As Go's Regexp.Expand: a name is as long as it can be, and groups that are not there are empty. */
function expand(text: string, found: RegExpExecArray): string {
  return text.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, bare?: string, braced?: string) => {
    if (dollar !== undefined) return "$";
    const name = bare ?? braced ?? "";
    return (/^\d+$/.test(name) ? found[Number(name)] : found.groups?.[name]) ?? "";
  });
}
