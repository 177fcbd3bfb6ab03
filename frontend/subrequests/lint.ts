import { type SourceRange, TbuildError, isTbuildError } from "../../cache/errors.js";
import type { Warning } from "../../solver/progress.js";
import { applyCheck } from "../dockerfile/checks/options.js";
import { type Examined, examine } from "../dockerfile/convert.js";
import { combine } from "../dockerfile/errors.js";
import { type Findings, noFindings } from "../dockerfile/findings.js";
import type { Stage } from "../dockerfile/stages.js";
import { baseImage } from "../dockerfile/stagesReach.js";
import type { FrontendOptions, ResolvedImage } from "../options.js";
import { lenientImages } from "./lenientImages.js";
import { type Location, locationOf } from "./location.js";

/** What a check found, in the form of BuildKit's `frontend.lint`. */
export interface LintResult {
  /** By line. */
  readonly warnings: readonly LintWarning[];
  readonly sources: readonly LintSource[];
  /** Why the file would not build. */
  readonly buildError?: { readonly message: string; readonly location: Location };
}

/** One violation. */
export interface LintWarning {
  readonly ruleName: string;
  readonly description: string;
  readonly url: string;
  /** What is wrong here. */
  readonly detail: string;
  readonly location: Location;
}

/** The file, its bytes in base64. */
export interface LintSource {
  readonly filename: string;
  readonly language: string;
  readonly data: string;
}

/** A check's result, and `buildError` with all mistakes, located. */
export interface Linted {
  readonly result: LintResult;
  readonly error: TbuildError | null;
}

/**
 * Checks a Dockerfile without building it: all its stages, or those that the target needs. An image that cannot be had is no
 * mistake; then variables that it might set are not looked for.
 */
export async function lintDockerfile(text: string | Uint8Array, options: FrontendOptions): Promise<Linted> {
  const findings = noFindings();
  const images = lenientImages(options);
  const examined = await attempt(findings, async () => examine(text, images.options, "all", findings));
  const unknown = examined === null ? [] : linesOfUnknown(examined, images.unknown);
  const { check } = findings;
  const warnings = applyCheck(check, findings.warnings).filter(({ rule, at }) => rule !== "UndefinedVar" || !isIn(at, unknown));
  const violations = warnings.filter(({ rule }) => rule !== null).sort((a, b) => startOf(a) - startOf(b));
  const failed = check.failing && violations.length > 0 ? violated(violations) : null;
  const error = findings.errors.length > 0 ? combine(findings.errors) : failed;
  const source = { filename: options.file, language: "Dockerfile", data: Buffer.from(text).toString("base64") };
  const result = { warnings: violations.map(lintWarning), sources: [source] };
  if (error === null) return { result, error };
  return { result: { ...result, buildError: { message: error.message, location: locationOf(error.at) } }, error };
}

async function attempt<T>(findings: Findings, part: () => Promise<T>): Promise<T | null> {
  try {
    return await part();
  } catch (error) {
    if (!isTbuildError(error) || error.code === "cancelled") throw error;
    findings.errors.push(error);
    return null;
  }
}

interface Lines {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** Lines of the stages that begin with an image of which nothing is known. */
function linesOfUnknown({ build }: Examined, unknown: ReadonlySet<ResolvedImage>): readonly Lines[] {
  const { stages } = build.names;
  const isUnknown = (stage: Stage): boolean => {
    let first = stage;
    while (first.base.kind === "stage") first = first.base.stage;
    const use = baseImage(first, build.options.platform);
    return use !== null && unknown.has(build.needs.images.get(use));
  };
  const lineOf = (stage: Stage | undefined): number => stage?.from.at.start.line ?? Infinity;
  return build.needs.stages.filter(isUnknown).map((stage) => ({ first: lineOf(stage), end: lineOf(stages[stage.index + 1]) }));
}

function isIn(at: SourceRange | null, lines: readonly Lines[]): boolean {
  return at !== null && lines.some(({ first, end }) => at.start.line >= first && at.start.line < end);
}

function violated(violations: readonly Warning[]): TbuildError {
  const rules = [...new Set(violations.map(({ rule }) => rule ?? ""))].sort(byName).join(", ");
  const hint = 'The checks fail the build because of "check=error=true"; fix what they found, or skip them there';
  return new TbuildError("invalid_argument", `Cannot build: lint violation found for rules: ${rules}`, { hint });
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lintWarning({ rule, detail, url, message, at }: Warning): LintWarning {
  return { ruleName: rule ?? "", description: detail, url: url ?? "", detail: message, location: locationOf(at) };
}

function startOf({ at }: Warning): number {
  return at?.start.line ?? 0;
}
