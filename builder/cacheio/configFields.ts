import { TbuildError } from "../../cache/errors.js";

/** More records or layers than anybody has are an attack on our memory. */
const MAX_ITEMS = 200_000;

/** What JSON says. `name` is what it is the text of. @throws {TbuildError} corrupt */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TbuildError("corrupt", `Cannot read ${name}: not JSON`, { cause: error });
  }
}

/** A list, empty when there is none. @throws {TbuildError} corrupt */
export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = value ?? [];
  if (!Array.isArray(list) || list.length > MAX_ITEMS) throw malformed(name, "not a list that one can read");
  return list as readonly unknown[];
}

/** @throws {TbuildError} corrupt */
export function objectOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw malformed(name, "not an object");
}

/** A time that can be compared; one that is none is long ago. */
export function timeOf(value: unknown): string {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  return new Date(Number.isNaN(time) ? 0 : time).toISOString();
}

/** The error for what says nonsense. */
export function malformed(name: string, why: string): TbuildError {
  return new TbuildError("corrupt", `Cannot read ${name}: ${why}`);
}
