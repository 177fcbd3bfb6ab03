import { type LayeredMap, layeredMap } from "./layeredMap.js";

/** Variables in the order in which they were last set, which is the order of a step's environment. */
export type Env = LayeredMap<string>;

/** `env` with `key` set last. */
export function setEnv(env: Env, key: string, value: string): Env {
  return env.with([[key, value]]);
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
