import { suggest } from "../frontend/dockerfile/suggest.js";
import { callFunction, functionNames } from "./templateFunctions.js";
import { usage } from "./usage.js";

/** A `--format` template, ready for use on any number of values. */
export interface Template {
  /** The text for one value. @throws {TbuildError} usage for a field that the value does not have */
  render(value: Readonly<Record<string, unknown>>): string;
}

type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "action"; readonly stages: readonly Stage[] };

/** One call of a pipeline: a function and its arguments, or a value alone. */
interface Stage {
  readonly name: string | null;
  readonly args: readonly Term[];
}

type Term = { readonly kind: "field"; readonly path: readonly string[] } | { readonly kind: "literal"; readonly value: string | number };

/**
 * Compiles the part of Go's text/template that Docker's `--format` is used with: fields, pipelines and a few functions, with
 * `\t` and `\n` spelled out. Anything else is refused. Source: docker/cli templates and formatter. @throws {TbuildError} usage
 */
export function compileTemplate(text: string): Template {
  const pieces = piecesOf(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"), text);
  return { render: (value) => pieces.map((piece) => (piece.kind === "text" ? piece.text : shown(evaluate(piece.stages, value)))).join("") };
}

function piecesOf(text: string, whole: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/(\s*)\{\{(-?)((?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`)*?)(-?)\}\}(\s*)/g)) {
    const [all, before = "", trimBefore, action = "", trimAfter, after = ""] = match;
    pieces.push({ kind: "text", text: text.slice(at, match.index) + (trimBefore === "-" ? "" : before) });
    pieces.push({ kind: "action", stages: stagesOf(action, whole) });
    // Blanks that are not trimmed may belong to the next action.
    at = match.index + all.length;
    if (trimAfter !== "-") pieces.push({ kind: "text", text: after });
  }
  const rest = text.slice(at);
  if (rest.includes("{{")) throw badTemplate(whole, "an action is not closed");
  return [...pieces, { kind: "text", text: rest }];
}

function stagesOf(action: string, whole: string): readonly Stage[] {
  const tokens = action.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|]+/g) ?? [];
  if (tokens.length === 0) throw badTemplate(whole, "an action is empty");
  const stages: string[][] = [[]];
  for (const token of tokens) {
    if (token === "|") stages.push([]);
    else stages.at(-1)!.push(token);
  }
  return stages.map((words) => stageOf(words, whole));
}

function stageOf([first, ...rest]: readonly string[], whole: string): Stage {
  if (first === undefined) throw badTemplate(whole, "a pipeline has an empty part");
  const value = termOf(first);
  if (value !== null && rest.length === 0) return { name: null, args: [value] };
  if (!functionNames.includes(first)) throw unknownFunction(first, whole);
  const args = rest.map((word) => termOf(word) ?? fail(badTemplate(whole, `"${word}" is no field and no text`)));
  return { name: first, args };
}

function termOf(word: string): Term | null {
  if (/^(?:\.[A-Za-z_]\w*)+$/.test(word) || word === ".") return { kind: "field", path: word.split(".").filter((name) => name !== "") };
  if (/^`.*`$/s.test(word)) return { kind: "literal", value: word.slice(1, -1) };
  if (/^".*"$/s.test(word)) return { kind: "literal", value: unquoted(word) };
  return /^-?\d+$/.test(word) ? { kind: "literal", value: Number(word) } : null;
}

function unquoted(word: string): string {
  try {
    return JSON.parse(word.replaceAll("\n", "\\n").replaceAll("\t", "\\t")) as string;
  } catch {
    return word.slice(1, -1);
  }
}

function evaluate(stages: readonly Stage[], root: Readonly<Record<string, unknown>>): unknown {
  let piped: readonly unknown[] = [];
  for (const { name, args } of stages) {
    const values = [...args.map((term) => valueOf(term, root)), ...piped];
    piped = [name === null ? values[0] : callFunction(name, values)];
  }
  return piped[0];
}

function valueOf(term: Term, root: Readonly<Record<string, unknown>>): unknown {
  if (term.kind === "literal") return term.value;
  const [first] = term.path;
  if (first !== undefined && !Object.hasOwn(root, first) && !Object.hasOwn(root, jsonName(first))) throw unknownField(first, Object.keys(root));
  return term.path.reduce<unknown>(fieldOf, root);
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  return fields[name] ?? fields[jsonName(name)];
}

/** Go's structs have "Digest" where their JSON has "digest". */
function jsonName(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

/** As Go prints values: `[a b]`, `map[k:v]`. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(shown).join(" ")}]`;
  if (typeof value === "string") return value;
  if (typeof value !== "object") return JSON.stringify(value);
  return `map[${Object.entries(value).map(([key, one]) => `${key}:${shown(one)}`).join(" ")}]`;
}

function fail(error: Error): never {
  throw error;
}

function badTemplate(text: string, reason: string): Error {
  return usage(`Cannot read --format "${text}": ${reason}`, "Write a Go template such as '{{.Repository}}:{{.Tag}}'");
}

function unknownFunction(name: string, text: string): Error {
  return usage(`Cannot read --format "${text}": unknown function "${name}"`, `One of ${functionNames.join(", ")}; control flow is not supported`);
}

function unknownField(name: string, known: readonly string[]): Error {
  const near = suggest(name, known);
  return usage(`Cannot use --format: there is no field ".${name}"`, near === null ? `One of ${known.map((field) => `.${field}`).join(", ")}` : `Did you mean ".${near}"?`);
}
