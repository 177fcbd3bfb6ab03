import { type EscapeChar, isSpace, skipPlain, skipSpaces, trimEnd } from "./words.js";

/** A builder flag, `--name=value`, with quotes and escapes resolved. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** Null when there was no "=". */
  readonly value: string | null;
  /** Where it is in the text that it was read from; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** An instruction cut into keyword, flags and the rest. Offsets are those of the text it was read from. */
export interface Head {
  readonly keyword: string;
  readonly keywordStart: number;
  readonly flags: readonly Flag[];
  /** What follows the flags, without white space around it. */
  readonly args: string;
  readonly argsStart: number;
}

const keyword = /[^\t\v\f\r ]+/y;

/** Cuts the instruction that starts at or after `from`. Flags stand before the first argument; `--` ends them. */
export function splitHead(text: string, escape: EscapeChar, from = 0): Head {
  const keywordStart = skipSpaces(text, from);
  keyword.lastIndex = keywordStart;
  const word = keyword.test(text) ? trimEnd(text.slice(keywordStart, keyword.lastIndex)) : "";
  const { flags, rest } = lexFlags(text, keywordStart + word.length, escape);
  const argsStart = skipSpaces(text, rest);
  return { keyword: word, keywordStart, flags, args: trimEnd(text.slice(argsStart)), argsStart };
}

function lexFlags(text: string, from: number, escape: EscapeChar): { flags: Flag[]; rest: number } {
  const flags: Flag[] = [];
  let at = skipSpaces(text, from);
  while (text.startsWith("--", at)) {
    const { word, end } = lexFlag(text, at, escape);
    if (word === "--") return { flags, rest: end };
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    flags.push({ name, value: equals < 0 ? null : word.slice(equals + 1), start: at, end });
    at = skipSpaces(text, end);
  }
  return { flags, rest: at };
}

/** One word without its quotes. An escape character stands for the next one, inside quotes of both kinds too. */
function lexFlag(text: string, from: number, escape: EscapeChar): { word: string; end: number } {
  let word = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const start = at;
    at = skipPlain(text, start);
    word += text.slice(start, at);
    const ch = text[at] ?? "";
    if (ch === "" || (quote === "" && isSpace(ch))) break;
    if (ch === escape) word += text[++at] ?? "";
    else if (ch === quote) quote = "";
    else if (quote === "" && (ch === "'" || ch === '"')) quote = ch;
    else word += ch;
  }
  return { word, end: Math.min(at, text.length) };
}
