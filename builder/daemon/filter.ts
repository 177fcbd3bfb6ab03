import { TbuildError } from "../../cache/errors.js";

/** Value of a field of what is filtered; null when it has no such field. */
export type ReadField = (field: string) => string | null;

/** True for what a filter lets through. */
export type Filter = (read: ReadField) => boolean;

/**
 * Reads filters as clients write them: `type==regular,inuse` wants both, and several filters any one of them.
 * Without a filter all is let through. @throws {TbuildError} invalid_argument. Source: containerd, pkg/filters
 */
export function parseFilters(texts: readonly string[]): Filter {
  const filters = texts.map((text) => selectors(text));
  return (read) => filters.length === 0 || filters.some((all) => all.every((matches) => matches(read)));
}

// A field of labels is written labels."com.example.key".
const SELECTOR = /^\s*([A-Za-z][A-Za-z0-9_]*(?:\.(?:[A-Za-z][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*"))*)(?:(==|!=|~=)("(?:[^"\\]|\\.)*"|[^\s,]+))?\s*(?:,|$)/;

function selectors(text: string): readonly Filter[] {
  const found: Filter[] = [];
  for (let rest = text; rest !== ""; ) {
    const match = SELECTOR.exec(rest);
    if (match === null) throw refused(text, `"${rest}" is no FIELD, FIELD==VALUE, FIELD!=VALUE or FIELD~=PATTERN`);
    const [whole, field = "", operator, value = ""] = match;
    found.push(selector(text, field, operator, unquoted(text, value)));
    rest = rest.slice(whole.length);
  }
  return found;
}

function selector(text: string, name: string, operator: string | undefined, value: string): Filter {
  const field = name.replaceAll('"', "");
  if (operator === "==") return (read) => read(field) === value;
  if (operator === "!=") return (read) => read(field) !== value;
  if (operator === undefined) return (read) => read(field) !== null;
  const pattern = regExp(text, value);
  return (read) => pattern.test(read(field) ?? "");
}

function unquoted(text: string, value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return JSON.parse(value) as string;
  } catch (cause) {
    throw refused(text, `${value} is no quoted text`, cause);
  }
}

function regExp(text: string, pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (cause) {
    throw refused(text, `"${pattern}" is no regular expression`, cause);
  }
}

function refused(text: string, why: string, cause?: unknown): TbuildError {
  return new TbuildError("invalid_argument", `Cannot read filter "${text}": ${why}`, { cause });
}
