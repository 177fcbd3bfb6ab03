import type { ExpandEnv } from "./expand.js";

/** Variables in the order in which they were last set, which is the order of a step's environment. */
export type Env = ReadonlyMap<string, string>;

/** `env` with `key` set last. */
export function setEnv(env: Env, key: string, value: string): Env {
  const next = new Map(env);
  next.delete(key);
  return next.set(key, value);
}

/** `env` as the expander wants it. */
export function lookup(env: Env): ExpandEnv {
  return { get: (name) => env.get(name), names: () => env.keys() };
}

/** Reads `K=V` lines of an image config; a line without "=" is an empty value. */
export function parseEnv(lines: readonly string[]): Env {
  return lines.reduce<Env>((env, line) => {
    const at = line.indexOf("=");
    return at < 0 ? setEnv(env, line, "") : setEnv(env, line.slice(0, at), line.slice(at + 1));
  }, new Map());
}

/** `env` as `K=V` lines, in order. */
export function formatEnv(env: Env): readonly string[] {
  return [...env].map(([key, value]) => `${key}=${value}`);
}
