import type { SourceRange } from "../../../cache/errors.js";
import { badValue } from "../errors.js";

/** `--chmod` as a copy action has it: `mode` -1 keeps the source's, and is 0 when `modeStr` speaks. */
export interface CopyMode {
  readonly mode: number;
  readonly modeStr: string;
}

const CLAUSE = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+$/;

/** Reads an octal or symbolic mode; empty keeps modes. @throws {TbuildError} invalid_argument */
export function parseMode(text: string, at: SourceRange): CopyMode {
  if (text === "") return { mode: -1, modeStr: "" };
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return { mode: Number.parseInt(text, 8), modeStr: "" };
  if (text.split(",").every((clause) => CLAUSE.test(clause))) return { mode: 0, modeStr: text };
  throw badValue("--chmod", text, at, "Write octal digits up to 7777, or a symbolic mode such as u=rwX,go=rX");
}
