import { type LayeredMap, layeredMap } from "./layeredMap.js";
import type { ExpandEnv } from "./expand.js";

/** Variables in the order in which they were last set, which is the order of a step's environment. */
export type Env = LayeredMap<string>;

/** `env` with `key` set last. */
export function setEnv(env: Env, key: string, value: string): Env {
  return env.with([[key, value]]);
}

/** `env` as the expander wants it. */
export function lookup(env: Env): ExpandEnv {
  return { get: (name) => env.get(name), names: () => env.keys() };
}

/** Reads `K=V` lines of an image config; a line without "=" is an empty value. */
export function parseEnv(lines: readonly string[]): Env {
  return layeredMap(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? ([line, ""] as const) : ([line.slice(0, at), line.slice(at + 1)] as const);
    }),
  );
}

/** `env` as `K=V` lines, in order. */
export function formatEnv(env: Env): readonly string[] {
  return [...env].map(([key, value]) => `${key}=${value}`);
}
