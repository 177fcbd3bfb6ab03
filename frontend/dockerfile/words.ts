import type { Word } from "./instruction.js";

/** Escape and continuation character of a file. */
export type EscapeChar = "\\" | "`";

const unicodeSpace = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** True for a character with Unicode's White_Space property; `ch` is one UTF-16 unit. */
export function isSpace(ch: string): boolean {
  const code = ch.charCodeAt(0);
  return code === 32 || ((code < 33 || code > 126) && unicodeSpace.test(ch));
}

/** Printable ASCII without quotes, backslash and backquote. */
const plainRun = /[!#-&(-[\]-_a-~]+/y;

/** First offset at or after `from` whose character may be white space, a quote or an escape character. */
export function skipPlain(text: string, from: number): number {
  plainRun.lastIndex = from;
  return plainRun.test(text) ? plainRun.lastIndex : from;
}

/** First offset at or after `from` that is not white space, at most `text.length`. */
export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

/** `text` without white space at its end. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** `text` without white space at both ends. */
export function trimSpaces(text: string): string {
  return trimEnd(text.slice(skipSpaces(text, 0)));
}

/** Words between runs of ASCII blanks; quotes mean nothing here. */
export function splitBlanks(text: string): Word[] {
  return text.split(/[\t\v\f\r ]+/).filter((word) => word !== "");
}

/** A word and where it starts in its text. */
export interface PlacedWord {
  readonly text: Word;
  readonly start: number;
}

/**
 * Words between white space that is neither quoted nor escaped, as written. An unfinished quote reaches to the end;
 * an escape character that ends the text is dropped.
 */
export function splitWords(text: string, escape: EscapeChar): PlacedWord[] {
  const words: PlacedWord[] = [];
  for (let at = skipSpaces(text, 0); at < text.length; at = skipSpaces(text, at)) {
    const start = at;
    at = endOfWord(text, start, escape);
    const word = text.slice(start, Math.min(at, text.length));
    const dangling = at > text.length;
    if (!dangling || word.length > 1) words.push({ text: dangling ? word.slice(0, -1) : word, start });
  }
  return words;
}

/** Past the end of the text when an escape character has nothing to escape. */
function endOfWord(text: string, from: number, escape: EscapeChar): number {
  let quote = "";
  let at = skipPlain(text, from);
  while (at < text.length) {
    const ch = text[at]!;
    if (quote === "" && isSpace(ch)) return at;
    if (ch === escape && quote !== "'") at++;
    else if (ch === quote) quote = "";
    else if (quote === "" && (ch === "'" || ch === '"')) quote = ch;
    at = skipPlain(text, at + 1);
  }
  return at;
}
