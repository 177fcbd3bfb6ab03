import { type Platform, formatPlatform } from "../../cache/oci/platform.js";
import type { ProxyEnv } from "../../solver/llb/op.js";
import type { Warning } from "../../solver/progress.js";
import type { FrontendOptions } from "../options.js";
import { expandWord } from "./expand.js";
import type { ArgInstruction, Instruction } from "./instruction.js";
import { layeredMap } from "./layeredMap.js";
import { type Env, setEnv } from "./scopeEnv.js";

/** Platform ARGs and TARGETSTAGE; a build argument of the same name wins. `target` is empty for an unnamed last stage. */
export function predefinedArgs(options: FrontendOptions, target: string): Env {
  const predefined = new Map([
    ...platformArgs("BUILD", options.buildPlatform),
    ...platformArgs("TARGET", options.platform),
    ["TARGETSTAGE", target === "" ? "default" : target] as const,
  ]);
  return layeredMap([...predefined].map(([key, value]) => [key, options.buildArgs.get(key) ?? value]));
}

/** The ARGs before the first FROM, on top of `predefined`. @throws {TbuildError} invalid_argument for `${v:?message}` */
export function globalArgs(
  instructions: readonly ArgInstruction[],
  predefined: Env,
  options: FrontendOptions,
  escape: "\\" | "`",
): Env {
  let env = predefined;
  for (const ins of instructions) {
    for (const { key, value } of ins.args) {
      const given = options.buildArgs.get(key);
      const known = given ?? (value === null ? null : expandWord(value, env, escape, ins.at).text);
      if (known !== null) env = setEnv(env, key, known);
    }
  }
  return env;
}

/** Proxy settings among the build arguments, in upper or lower case; null when there are none. */
export function proxyEnv(buildArgs: ReadonlyMap<string, string>): ProxyEnv | null {
  const given = new Map([...buildArgs].sort(byKey).map(([key, value]) => [key.toLowerCase(), value]));
  const value = (key: string): string => given.get(key) ?? "";
  if (!PROXIES.some((key) => given.has(key))) return null;
  return {
    http: value("http_proxy"),
    https: value("https_proxy"),
    ftp: value("ftp_proxy"),
    no: value("no_proxy"),
    all: value("all_proxy"),
  };
}

/** One warning for each build argument that no ARG of the file takes. */
export function unusedBuildArgs(
  options: FrontendOptions,
  predefined: Env,
  instructions: readonly Instruction[],
): readonly Warning[] {
  if (options.buildArgs.size === 0) return [];
  const declared = new Set(instructions.flatMap((ins) => (ins.name === "arg" ? ins.args.map((arg) => arg.key) : [])));
  const known = (key: string): boolean => declared.has(key) || predefined.has(key) || isBuiltIn(key);
  return [...options.buildArgs.keys()].filter((key) => !known(key)).map((key) => ({
    rule: null,
    message: `Build argument "${key}" is not declared by any ARG`,
    detail: "A build argument has an effect only where the Dockerfile declares it",
    url: null,
    at: null,
  }));
}

const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

function isBuiltIn(key: string): boolean {
  return PROXIES.includes(key.toLowerCase()) || key.startsWith("BUILDKIT_") || key === "SOURCE_DATE_EPOCH";
}

function platformArgs(prefix: string, platform: Platform): readonly (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform["os.version"] ?? ""],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
