import { existsSync } from "node:fs";
import type { NumberedRules } from "../frontend/dockerignore.js";
import { parseNumberedIgnore } from "../frontend/dockerignore.js";
import { nameIn, readText } from "./textFile.js";

/** The ignore file of a context. */
export interface IgnoreFile extends NumberedRules {
  /** Name as the user knows it: relative to the context where that is shorter. */
  readonly name: string;
}

/** The first of these files (absolute paths) that is there; null when none is. @throws {TbuildError} permission_denied, invalid_argument */
export function readIgnoreFile(candidates: readonly string[], context: string): IgnoreFile | null {
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) return null;
  const { name, bytes } = readText(file, nameIn(context, file));
  return { name, ...parseNumberedIgnore(bytes.toString("utf8")) };
}

/** A rule as people find it again: `.dockerignore:3: "*.log"`. */
export function shownRule({ name, rules, lines }: IgnoreFile, rule: number): string {
  return `${name}:${lines[rule]}: "${rules[rule]}"`;
}
