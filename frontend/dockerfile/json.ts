import { skipSpaces } from "./words.js";

/** What the arguments of an instruction with a JSON form turned out to be. */
export type JsonForm =
  | { readonly kind: "strings"; readonly values: readonly string[] }
  /** No array, or not JSON at all: the shell form or plain words. */
  | { readonly kind: "text" }
  /** A JSON array with something else than strings in it, which is always a mistake. */
  | { readonly kind: "not-strings" };

/** Reads `text` as a JSON array of strings. The whole text must be the array. */
export function readJsonForm(text: string): JsonForm {
  const start = skipSpaces(text, 0);
  if (text[start] !== "[") return { kind: "text" };
  const values = parseArray(text.slice(start));
  if (values === null) return { kind: "text" };
  return values.every((value) => typeof value === "string") ? { kind: "strings", values } : { kind: "not-strings" };
}

function parseArray(text: string): unknown[] | null {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    return null; // most often a shell test: RUN [ -f x ] && …
  }
}
