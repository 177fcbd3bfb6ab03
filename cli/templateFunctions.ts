import { usage } from "./usage.js";

const FUNCTIONS: Readonly<Record<string, (...values: readonly unknown[]) => unknown>> = {
  json: (value) => JSON.stringify(value ?? null),
  join: (list, separator) => asList(list, "join").join(asText(separator, "join")),
  upper: (value) => asText(value, "upper").toUpperCase(),
  lower: (value) => asText(value, "lower").toLowerCase(),
  title: (value) => asText(value, "title").replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  split: (value, separator) => asText(value, "split").split(asText(separator, "split")),
  len: lengthOf,
  index: (value, ...keys) => keys.reduce<unknown>(at, value),
  println: (...values) => `${values.map(String).join(" ")}\n`,
};

/** Names that {@link callFunction} knows. Source: docker/cli templates, and those of Go's own that people use with them. */
export const functionNames: readonly string[] = Object.keys(FUNCTIONS);

/** The value of a template's function; in a pipeline the value from the left comes last. @throws {TbuildError} usage for a wrong argument */
export function callFunction(name: string, values: readonly unknown[]): unknown {
  return FUNCTIONS[name]!(...values);
}

function lengthOf(value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === "string") return Buffer.byteLength(value);
  return typeof value === "object" ? Object.keys(value).length : fail("len");
}

function at(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return typeof key === "number" && key >= 0 && key < value.length ? value[key] : fail("index");
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[String(key)] : undefined;
}

function asList(value: unknown, name: string): readonly unknown[] {
  return Array.isArray(value) ? value : value === null || value === undefined ? [] : fail(name);
}

function asText(value: unknown, name: string): string {
  return typeof value === "string" ? value : fail(name);
}

function fail(name: string): never {
  throw usage(`Cannot use --format: "${name}" does not take such a value`, "Look at the value with '{{json .}}'");
}
