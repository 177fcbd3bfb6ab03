import { type IgnoreRules, compilePatterns } from "../../../cache/tree/patterns.js";
import { cleanPath, rootedPath } from "../contextPaths.js";
import type { StageContext } from "../convertState.js";
import type { AddInstruction, CopyInstruction } from "../instruction.js";
import { violation } from "../lint.js";

/** Answers for a path of the build context, as an instruction writes it. */
export type PathFilter = (path: string) => boolean;

/**
 * Finds what the rules of an ignore file surely leave out. With a "!" rule nothing is sure: an excluded directory may have
 * an included file. Source: BuildKit's validateCopySourcePath.
 */
export function ignoredPaths(ignore: IgnoreRules): PathFilter {
  if (ignore.length === 0 || ignore.some((rule) => rule.trim().startsWith("!"))) return () => false;
  const matcher = compilePatterns(ignore);
  const hasAll = ignore.some((rule) => /^(?:\*|\*\*)(?:\/\*\*)?$/.test(rule.trim()));
  return (source) => {
    if (/[*?[\\]/.test(source)) return false;
    const path = rootedPath(source).slice(1);
    return path === "" ? hasAll : matcher.matches(path).matched;
  };
}

/** Warns of `sources` of the build context that the ignore file leaves out: the step would not find them. */
export function lintIgnored(ins: AddInstruction | CopyInstruction, sources: readonly string[], c: StageContext): void {
  const instruction = ins.name === "add" ? "Add" : "Copy";
  for (const source of sources.filter(c.isIgnored)) c.warn(violation("CopyIgnoredFile", ins.at, instruction, cleanPath(source)));
}
