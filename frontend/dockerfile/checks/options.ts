import { TbuildError, type SourceRange } from "../../../cache/errors.js";
import type { Warning } from "../../../solver/progress.js";
import { combine, failedCheck } from "../errors.js";
import type { ParsedDockerfile } from "../instruction.js";
import { isExperimental } from "../lint.js";
import { parseFailed, quoted } from "../parseErrors.js";

/** Names of checks. */
export type RuleSet = "all" | ReadonlySet<string>;

/** Which checks are left out and which are asked for. */
export interface CheckChoice {
  readonly skip: RuleSet;
  /** Experimental checks to run; `skip` does not concern them. */
  readonly experimental: RuleSet;
}

/** What `# check=` asks for, and the same comments above single instructions. */
export interface CheckOptions extends CheckChoice {
  /** Violations fail the build. */
  readonly failing: boolean;
  /** Comments above instructions, which count for warnings in their lines only. */
  readonly local: readonly (CheckChoice & { readonly at: SourceRange })[];
}

/** Every check that is not experimental, as warnings. */
export const defaultCheck: CheckOptions = { skip: new Set(), experimental: new Set(), failing: false, local: [] };

/** Build argument that replaces the directive. */
const ARGUMENT = "BUILDKIT_DOCKERFILE_CHECK";

/**
 * The settings of a build: those of the build argument BUILDKIT_DOCKERFILE_CHECK, else of the file's directive; comments
 * above instructions add to them. @throws {TbuildError} parse_failed, invalid_argument for the build argument
 */
export function checkOptions(parsed: ParsedDockerfile, buildArgs: ReadonlyMap<string, string>): CheckOptions {
  return { ...globalOptions(parsed, buildArgs.get(ARGUMENT)), local: localChoices(parsed) };
}

/** Reads `skip=A,B;experimental=C;error=true`. A string is what is wrong with it. Source: BuildKit's ParseLintOptions. */
export function parseCheck(value: string): Omit<CheckOptions, "local"> | string {
  const fields = value.trim() === "" ? [] : value.split(";");
  let options: Omit<CheckOptions, "local"> = defaultCheck;
  for (const field of fields) {
    const [, key = "", text = ""] = /^\s*([^=]*?)\s*=(.*)$/s.exec(field) ?? [];
    if (key === "skip" || key === "experimental") options = { ...options, [key]: ruleSet(text) };
    else if (key === "error" && isBoolean(text.trim())) options = { ...options, failing: /^(?:1|t|true)$/i.test(text.trim()) };
    else return `Cannot read check option ${quoted(field.trim())}`;
  }
  return options;
}

/** The warnings that `check` leaves. */
export function applyCheck(check: CheckOptions, warnings: readonly Warning[]): readonly Warning[] {
  return warnings.filter(({ rule, at }) => rule === null || isWanted(rule, at, check));
}

/** Refuses to go on when `check` turns violations into errors. `warnings` are those that {@link applyCheck} left. */
export function refuseViolations(check: CheckOptions, warnings: readonly Warning[]): void {
  const violations = warnings.filter(({ rule }) => rule !== null);
  if (check.failing && violations.length > 0) throw combine(violations.map(failedCheck));
}

function isWanted(rule: string, at: SourceRange | null, check: CheckOptions): boolean {
  const choices: readonly CheckChoice[] = [check, ...check.local.filter((choice) => at !== null && isWithin(at, choice.at))];
  if (isExperimental(rule)) return choices.some(({ experimental }) => has(experimental, rule));
  return !choices.some(({ skip }) => has(skip, rule));
}

function globalOptions(parsed: ParsedDockerfile, argument: string | undefined): Omit<CheckOptions, "local"> {
  const directive = parsed.directives.get("check");
  const options = parseCheck(argument ?? directive?.value ?? "");
  if (typeof options !== "string") return options;
  const hint = "Write skip=RULE,RULE;experimental=RULE;error=true, or skip=all";
  if (argument === undefined && directive !== undefined) throw parseFailed(options, directive.at, hint);
  throw new TbuildError("invalid_argument", `${options} of build argument ${ARGUMENT}`, { hint });
}

/** A comment that is no such setting is a comment. */
function localChoices({ instructions }: ParsedDockerfile): CheckOptions["local"] {
  return instructions.filter(({ comments }) => comments.length > 0).flatMap(({ comments, at }) => {
    const value = comments.map((comment) => /^check\s*=\s*(\S+)/i.exec(comment)?.[1]).find((found) => found !== undefined);
    const choice = value === undefined ? "" : parseCheck(value);
    return typeof choice === "string" ? [] : [{ skip: choice.skip, experimental: choice.experimental, at }];
  });
}

function ruleSet(text: string): RuleSet {
  const names = text.split(",").map((name) => name.trim());
  return names.includes("all") ? "all" : new Set(names.filter((name) => name !== ""));
}

function has(rules: RuleSet, rule: string): boolean {
  return rules === "all" || rules.has(rule);
}

/** As Go's ParseBool. */
function isBoolean(text: string): boolean {
  return /^(?:1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(text);
}

function isWithin(at: SourceRange, outer: SourceRange): boolean {
  return at.file === outer.file && at.start.line >= outer.start.line && at.start.line <= outer.end.line;
}
