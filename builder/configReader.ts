import { TbuildError, type SourceRange } from "../cache/errors.js";

/** The text of a TOML file, kept so that an error can name the line of a key. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/**
 * One table of a configuration file, read key by key. What nobody asked for is told by {@link TableReader.finish}.
 * Absent keys read as undefined. @throws {TbuildError} parse_failed, with the line, when a value has another type
 */
export interface TableReader {
  text(key: string): string | undefined;
  bool(key: string): boolean | undefined;
  integer(key: string): number | undefined;
  texts(key: string): readonly string[];
  /** String, number or boolean, taken apart by `parse`, which answers undefined for what it does not understand. */
  scalar<T>(key: string, expected: string, parse: (value: unknown) => T | undefined): T | undefined;
  table(key: string): TableReader | undefined;
  tables(key: string): readonly TableReader[];
  /** Keys of this table in file order. */
  keys(): readonly string[];
  /** Warnings, one for each key that was not read, in this table and below. */
  finish(): readonly string[];
}

/** Reads `value`, the table at `path` ("worker.oci"; "" is the whole file). @throws {TbuildError} parse_failed */
export function readTable(source: ConfigText, path: string, value: unknown): TableReader {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(source, path, "a table");
  const values = value as Readonly<Record<string, unknown>>;
  const known = new Set<string>();
  const children: TableReader[] = [];
  const nameOf = (key: string) => (path === "" ? key : `${path}.${key}`);

  function scalar<T>(key: string, expected: string, parse: (value: unknown) => T | undefined): T | undefined {
    known.add(key);
    if (values[key] === undefined) return undefined;
    const parsed = parse(values[key]);
    if (parsed === undefined) throw wrongType(source, nameOf(key), expected);
    return parsed;
  }
  function child(key: string, inner: unknown): TableReader {
    const reader = readTable(source, nameOf(key), inner);
    children.push(reader);
    return reader;
  }
  function table(key: string): TableReader | undefined {
    known.add(key);
    return values[key] === undefined ? undefined : child(key, values[key]);
  }
  function tables(key: string): readonly TableReader[] {
    const list = scalar(key, "a list of tables", (item) => (Array.isArray(item) ? (item as unknown[]) : undefined));
    return (list ?? []).map((item) => child(key, item));
  }
  function finish(): readonly string[] {
    const own = Object.keys(values).filter((key) => !known.has(key));
    const told = own.map((key) => `Ignoring unknown key "${nameOf(key)}" in ${source.file}:${lineOf(source.text, nameOf(key))}`);
    return [...told, ...children.flatMap((reader) => reader.finish())];
  }
  return {
    text: (key) => scalar(key, "a string", (item) => (typeof item === "string" ? item : undefined)),
    bool: (key) => scalar(key, "true or false", (item) => (typeof item === "boolean" ? item : undefined)),
    integer: (key) => scalar(key, "a whole number", (item) => (Number.isSafeInteger(item) ? (item as number) : undefined)),
    texts: (key) => scalar(key, "a list of strings", (item) => (isTexts(item) ? item : undefined)) ?? [],
    scalar,
    table,
    tables,
    keys: () => Object.keys(values),
    finish,
  };
}

/** Range of one line of a configuration file. */
export function lineRange(file: string, line: number, column = 1): SourceRange {
  return { file, start: { line, column }, end: { line, column } };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function wrongType(source: ConfigText, path: string, expected: string): TbuildError {
  return new TbuildError("parse_failed", `Cannot read "${path}" of ${source.file}: it must be ${expected}`, {
    at: lineRange(source.file, lineOf(source.text, path)),
  });
}

/**
 * Line of the key at `path`. The TOML parser keeps no positions of values, so this looks for the innermost name in
 * the text, below the last table header that names one of its parents; 1 when it is not found.
 */
function lineOf(text: string, path: string): number {
  const lines = text.split("\n");
  const name = path.slice(path.lastIndexOf(".") + 1);
  let at = 0;
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1]?.replaceAll(/["']/g, "").replaceAll(/\s*\.\s*/g, ".");
    if (header !== undefined && (path === header || path.startsWith(`${header}.`))) at = index;
  }
  const isKey = (line: string) => line.trimStart().replace(/^["']/, "").startsWith(name);
  const found = lines.findIndex((line, index) => index >= at && isKey(line));
  return (found < 0 ? at : found) + 1;
}
