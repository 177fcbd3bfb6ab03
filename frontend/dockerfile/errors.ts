import { type SourcePosition, type SourceRange, TbuildError, isTbuildError, withRange } from "../../cache/errors.js";
import type { Warning } from "../../solver/progress.js";
import { didYouMean, quoted } from "./parseErrors.js";

/** Only ARG instructions, no stage. */
export function noStages(file: string, at: SourceRange): TbuildError {
  return new TbuildError("parse_failed", `Cannot build from "${file}": it has no FROM instruction`, { at });
}

/** `--target` names no stage. */
export function unknownTarget(target: string, suggestion: string | null, names: readonly string[]): TbuildError {
  const list = names.length === 0 ? "No stage of this file has a name" : `Stages: ${names.join(", ")}`;
  return new TbuildError("not_found", `Cannot find target stage "${target}"`, { hint: didYouMean(suggestion) ?? list });
}

/** `COPY --from` or `RUN --mount=from` names its own stage or a later one. */
export function notYetDefined(from: string, at: SourceRange, own: boolean): TbuildError {
  const why = own ? "a stage cannot use its own result" : "the stage is defined further down";
  return new TbuildError("invalid_argument", `Cannot use stage "${from}" here: ${why}`, {
    at,
    hint: own ? undefined : `Move the stage "${from}" above this one`,
  });
}

/** `COPY --from=7` with fewer stages. */
export function noSuchIndex(index: string, count: number, at: SourceRange): TbuildError {
  const before = count === 0 ? "no stage is" : count === 1 ? "only one stage is" : `only ${count} stages are`;
  const message = `Cannot use stage ${index} here: ${before} defined before`;
  return new TbuildError("invalid_argument", message, { at, hint: "Stages count from 0" });
}

/** A variable in `--from`. */
export function variableInFrom(from: string, at: SourceRange): TbuildError {
  return new TbuildError("invalid_argument", `Cannot expand variables in --from "${from}"`, {
    at,
    hint: "Define a stage with FROM and a global ARG, and name that stage",
  });
}

/** A value that expands to nothing where one is needed. */
export function blank(what: string, word: string, at: SourceRange, suggestion: string | null): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use "${word}" as ${what}: it expands to nothing`, {
    at,
    hint: didYouMean(suggestion),
  });
}

/** A value that variables which are not set have left wrong. */
export function notExpanded(what: string, word: string, text: string, at: SourceRange, suggestion: string | null): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use "${word}" as ${what}: it expands to "${text}"`, { at, hint: didYouMean(suggestion) });
}

/** A value that is refused, located. */
export function badValue(what: string, value: string, at: SourceRange, hint?: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use "${value}" as ${what}`, { at, hint });
}

/** Two things that do not go together, located. */
export function refused(message: string, at: SourceRange, hint?: string): TbuildError {
  return new TbuildError("invalid_argument", message, { at, hint });
}

/** Something that BuildKit has and this version does not. */
export function unsupported(what: string, at: SourceRange, hint?: string): TbuildError {
  return new TbuildError("unsupported", `Cannot use ${what}: not supported yet`, { at, hint });
}

/** An image that could not be resolved: the resolver's error, located, with the nearest name. */
export function unresolved(error: unknown, at: SourceRange, suggestion: string | null): unknown {
  const located = withRange(error, at);
  if (!isTbuildError(located) || suggestion === null) return located;
  const { code, message, cause, others } = located;
  return new TbuildError(code, message, { at: located.at, hint: didYouMean(suggestion), cause, others });
}

/** Like {@link unresolved} for the image of a named context, which the file does not show. */
export function unresolvedContext(error: unknown, at: SourceRange, key: string): unknown {
  const located = withRange(error, at);
  if (!isTbuildError(located)) return located;
  const { code, message, cause, others } = located;
  return new TbuildError(code, message, { at, hint: located.hint ?? `The build context "${key}" names it`, cause, others });
}

/**
 * One error that stands for all: the first in the file, with the others attached in order. What was found twice, as by two
 * passes, is said once. `errors` is not empty.
 */
export function combine(errors: readonly TbuildError[]): TbuildError {
  const flat = errors.flatMap((error) => [error, ...error.others]);
  const once = new Map(flat.map((error) => [`${error.message} ${JSON.stringify(error.at)}`, error]));
  const [first, ...others] = [...once.values()].sort(byPlace);
  if (first === undefined) throw new Error("combine() needs an error");
  if (others.length === 0) return first;
  const { code, message, at, hint, cause } = first;
  return new TbuildError(code, message, { at, hint, cause, others });
}

/** Runs `part`, which works on an ONBUILD trigger of the base: errors say so, as the file does not show it. */
export function inTrigger<T>(trigger: string, part: () => T): T {
  try {
    return part();
  } catch (error) {
    if (!isTbuildError(error)) throw error;
    throw fromTrigger(error, trigger);
  }
}

/** `error` with the ONBUILD trigger that it is about. */
export function fromTrigger({ code, message, at, hint, cause, others }: TbuildError, trigger: string): TbuildError {
  const shown = quoted(trigger.split("\n", 1)[0] ?? "");
  return new TbuildError(code, `${message}, in the ONBUILD trigger ${shown} of the base`, { at, hint, cause, others });
}

/** A check that `# check=error=true` turns into an error. */
export function failedCheck(warning: Warning): TbuildError {
  const hint = `The check ${warning.rule} fails the build because of "check=error=true"; fix it, or skip it there`;
  return new TbuildError("invalid_argument", `Cannot build: ${warning.message}`, { at: warning.at ?? undefined, hint });
}

/** Runs `part`; its errors get the range `at` unless they have one. */
export function located<T>(at: SourceRange, part: () => T): T {
  try {
    return part();
  } catch (error) {
    throw withRange(error, at);
  }
}

/** Runs `part`; a {@link TbuildError} goes to `errors`, located at `at`, and undefined is returned. */
export function collecting<T>(errors: TbuildError[], at: SourceRange, part: () => T): T | undefined {
  try {
    return part();
  } catch (error) {
    const located = withRange(error, at);
    if (!isTbuildError(located)) throw error;
    errors.push(located);
    return undefined;
  }
}

function byPlace(a: TbuildError, b: TbuildError): number {
  const [one, other] = [a, b].map(({ at }) => at?.start ?? { line: 0, column: 0 }) as [SourcePosition, SourcePosition];
  return one.line - other.line || one.column - other.column;
}
