import type { TbuildError } from "../../../../cache/errors.js";
import type { ArgInstruction, EnvInstruction, KeyValue, LabelInstruction, Own } from "../../instruction.js";
import { parseFailed, quoted } from "../../parseErrors.js";
import { type PlacedWord, splitWords } from "../../words.js";
import { refuseFlags } from "./flags.js";
import { argsRange, needArgument, type RawInstruction } from "./raw.js";

/** `ENV k=v…` or `ENV k v` */
export function parseEnv(raw: RawInstruction): Own<EnvInstruction> {
  const { pairs, legacy } = parsePairs(raw);
  return { name: "env", pairs, legacy };
}

/** `LABEL k=v…` or `LABEL k v` */
export function parseLabel(raw: RawInstruction): Own<LabelInstruction> {
  const { pairs, legacy } = parsePairs(raw);
  return { name: "label", pairs, legacy };
}

/** `ARG k[=v]…` */
export function parseArg(raw: RawInstruction): Own<ArgInstruction> {
  refuseFlags(raw);
  const words = splitWords(raw.args, raw.escape);
  needArgument(raw, words);
  const args = words.map((word) => (word.text.includes("=") ? splitPair(raw, word) : { key: word.text, value: null }));
  return { name: "arg", args };
}

/** The first word decides: without "=" in it the line is one legacy pair, key and the rest of the line. */
function parsePairs(raw: RawInstruction): { pairs: readonly KeyValue[]; legacy: boolean } {
  refuseFlags(raw);
  const words = splitWords(raw.args, raw.escape);
  needArgument(raw, words);
  if (words[0]!.text.includes("=")) return { pairs: words.map((word) => splitPair(raw, word)), legacy: false };
  const [, key, value] = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([^]*)$/.exec(raw.args) ?? [];
  if (key !== undefined && value !== undefined) return { pairs: [{ key, value }], legacy: true };
  const hint = `Write ${raw.label} ${raw.args}=VALUE; an empty value is ""`;
  throw parseFailed(`${raw.label} requires a value for ${quoted(raw.args)}`, argsRange(raw), hint);
}

function splitPair(raw: RawInstruction, word: PlacedWord): KeyValue {
  const equals = word.text.indexOf("=");
  if (equals <= 0) throw badPair(raw, word, equals);
  return { key: word.text.slice(0, equals), value: word.text.slice(equals + 1) };
}

function badPair(raw: RawInstruction, word: PlacedWord, equals: number): TbuildError {
  const start = raw.argsStart + word.start;
  const at = raw.place.range(start, start + word.text.length);
  if (equals < 0) {
    const hint = "Put a value with spaces in quotes";
    return parseFailed(`Cannot parse ${quoted(word.text)} of ${raw.label}: expected NAME=VALUE`, at, hint);
  }
  return parseFailed(`Cannot parse ${quoted(word.text)} of ${raw.label}: the name is blank`, at);
}
