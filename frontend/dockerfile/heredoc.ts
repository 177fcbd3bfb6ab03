import { splitHead } from "./flags.js";
import { readJsonForm } from "./json.js";
import { type EscapeChar, isSpace } from "./words.js";

/** The `<<EOF` of a here-document. Offsets are those of the logical line; `end` is exclusive. */
export interface HeredocMarker {
  /** Delimiter without quotes and escapes. */
  readonly name: string;
  /** False when a part of the delimiter was in quotes. */
  readonly expand: boolean;
  /** `<<-` */
  readonly chomp: boolean;
  readonly fd: number;
  readonly start: number;
  readonly end: number;
}

const withHeredocs: ReadonlySet<string> = new Set(["run", "copy", "add"]);

/** The here-documents that an instruction opens, in order: none in JSON form, nor for instructions that take none. */
export function heredocMarkers(line: string, escape: EscapeChar): readonly HeredocMarker[] {
  if (!line.includes("<<")) return [];
  let head = splitHead(line, escape);
  if (head.keyword.toLowerCase() === "onbuild") head = splitHead(line, escape, head.argsStart);
  if (!withHeredocs.has(head.keyword.toLowerCase()) || readJsonForm(head.args).kind !== "text") return [];
  return scanMarkers(line);
}

/** `body` without the tabs at the start of its lines. */
export function chompTabs(body: string): string {
  return body.replace(/^\t+/gm, "");
}

/** Quoting is the shell's: the escape character is a backslash whatever the directive says. */
function scanMarkers(line: string): readonly HeredocMarker[] {
  const markers: HeredocMarker[] = [];
  let start = -1;
  for (let at = 0; at < line.length; ) {
    if (isSpace(line[at]!)) {
      if (start >= 0) addMarker(markers, line, start, at);
      start = -1;
      at++;
      continue;
    }
    if (start < 0) start = at;
    at = afterToken(line, at);
    if (at < 0) return []; // an unfinished quote: nothing on the line can be trusted
  }
  if (start >= 0) addMarker(markers, line, start, line.length);
  return markers;
}

/** End of the quoted text, escape, `<<` or `<<-` with its blanks, or plain character at `at`; -1 when a quote does not end. */
function afterToken(line: string, at: number): number {
  const ch = line[at];
  if (ch === "'") return line.indexOf("'", at + 1) + 1 || -1;
  if (ch === '"') return afterDoubleQuoted(line, at);
  if (ch === "\\") return at + 2;
  if (!line.startsWith("<<", at)) return at + 1;
  let end = at + (line[at + 2] === "-" ? 3 : 2);
  while (line[end] === " " || line[end] === "\t" || line[end] === "\r") end++;
  return end;
}

function afterDoubleQuoted(line: string, from: number): number {
  for (let at = from + 1; at < line.length; at++) {
    if (line[at] === '"') return at + 1;
    if (line[at] === "\\") at++;
  }
  return -1;
}

function addMarker(markers: HeredocMarker[], line: string, start: number, end: number): void {
  const word = line.slice(start, end);
  const digits = /^\d*/.exec(word)![0];
  if (!word.startsWith("<<", digits.length)) return;
  const chomp = word[digits.length + 2] === "-";
  const written = word.slice(digits.length + (chomp ? 3 : 2)).trimStart();
  if (written.includes("<")) return;
  const { name, quoted } = unquoteDelimiter(written);
  if (name === "") return;
  markers.push({ name, expand: !quoted, chomp, fd: Math.min(Number(digits), Number.MAX_SAFE_INTEGER), start, end });
}

function unquoteDelimiter(written: string): { name: string; quoted: boolean } {
  let name = "";
  let quote = "";
  let quoted = false;
  for (let at = 0; at < written.length; at++) {
    const ch = written[at]!;
    const escapes = quote === "" || (quote === '"' && '"$\\'.includes(written[at + 1] ?? " "));
    if (ch === quote) quote = "";
    else if (quote === "" && (ch === "'" || ch === '"')) {
      quote = ch;
      quoted = true;
    } else if (ch === "\\" && escapes) name += written[++at] ?? "";
    else name += ch;
  }
  return { name, quoted };
}
