import type { TbuildError } from "../../../../cache/errors.js";
import type { Flag } from "../../flags.js";
import { didYouMean, parseFailed, quoted } from "../../parseErrors.js";
import { suggest } from "../../suggest.js";
import type { RawInstruction } from "./raw.js";

/** What a flag takes: nothing or a boolean, one value, or one value each time it is given. */
export type FlagKind = "boolean" | "value" | "values";

/** Null when the flag is not given. An empty value is `""`. */
export type FlagValues<S extends Record<string, FlagKind>> = {
  readonly [K in keyof S]: S[K] extends "boolean" ? boolean | null : S[K] extends "value" ? string | null : readonly string[];
};

/** Reads the flags of an instruction. @throws {TbuildError} parse_failed on unknown, repeated and malformed ones */
export function readFlags<const S extends Record<string, FlagKind>>(raw: RawInstruction, spec: S): FlagValues<S> {
  const found: Record<string, boolean | string | string[] | null> = {};
  for (const name of Object.keys(spec)) found[name] = spec[name] === "values" ? [] : null;
  for (const flag of raw.flags) {
    if (!Object.hasOwn(spec, flag.name)) throw unknownFlag(raw, flag, Object.keys(spec));
    const before = found[flag.name];
    if (Array.isArray(before)) before.push(valueOf(raw, flag));
    else if (before !== null) throw refused(raw, flag, "it is given twice");
    else found[flag.name] = spec[flag.name] === "boolean" ? booleanOf(raw, flag) : valueOf(raw, flag);
  }
  return found as unknown as FlagValues<S>;
}

/** @throws {TbuildError} parse_failed when there are flags at all */
export function refuseFlags(raw: RawInstruction): void {
  const [flag] = raw.flags;
  if (flag !== undefined) throw unknownFlag(raw, flag, []);
}

/** An error about one flag, at its place. */
export function refused(raw: RawInstruction, flag: Flag, reason: string, hint?: string): TbuildError {
  const at = raw.place.range(flag.start, flag.end);
  return parseFailed(`Cannot use flag ${quoted(`--${flag.name}`)} of ${raw.label}: ${reason}`, at, hint);
}

/** The last flag of that name, which must have been given: for errors about its value. */
export function flagNamed(raw: RawInstruction, name: string): Flag {
  return raw.flags.findLast((flag) => flag.name === name)!;
}

function unknownFlag(raw: RawInstruction, flag: Flag, known: readonly string[]): TbuildError {
  const takes = known.length === 0 ? "takes no flags" : `takes only ${known.map((name) => `--${name}`).join(", ")}`;
  const guess = suggest(flag.name, known);
  const hint = didYouMean(guess === null ? null : `--${guess}`) ?? 'Put "--" before arguments that start with dashes';
  const at = raw.place.range(flag.start, flag.end);
  return parseFailed(`Unknown flag ${quoted(`--${flag.name}`)}: ${raw.label} ${takes}`, at, hint);
}

function valueOf(raw: RawInstruction, flag: Flag): string {
  if (flag.value === null) throw refused(raw, flag, "its value is missing", `Write --${flag.name}=VALUE`);
  return flag.value;
}

function booleanOf(raw: RawInstruction, flag: Flag): boolean {
  if (flag.value === null) return true;
  const value = flag.value.toLowerCase();
  if (value === "true" || value === "false") return value === "true";
  throw refused(raw, flag, `its value must be true or false, not ${quoted(flag.value)}`);
}
