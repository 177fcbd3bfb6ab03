import { type Platform, formatPlatform, parsePlatform, samePlatform } from "../../cache/oci/platform.js";
import type { StageContext, StageState } from "./convertState.js";
import { expandWord } from "./expand.js";
import type { InstructionBase } from "./instruction.js";
import type { Env } from "./scopeEnv.js";

/** A step's display name and the stage with its counter advanced. */
export interface NamedStep {
  readonly name: string;
  readonly state: StageState;
}

/** `[builder 2/5] RUN make`: the stage's next step. With the stage's platform in front when the options say so. */
export function nextStep(s: StageState, c: StageContext, text: string, env: Env = s.env): NamedStep {
  if (s.step.total === 0) return { name: text, state: s };
  const index = s.step.index + 1;
  const place = `${String(index).padStart(String(s.step.total).length)}/${s.step.total}`;
  const parts = [platformPrefix(c, env), c.label, place].filter((part) => part !== "");
  const name = `[${parts.join(" ")}] ${c.trigger ? "ONBUILD " : ""}${text}`;
  return { name, state: { ...s, step: { ...s.step, index } } };
}

/** The instruction's text with its variables filled in; as written when that fails. */
export function shownText(ins: InstructionBase, s: StageState, c: StageContext): string {
  try {
    return upperKeyword(expandWord(ins.original, s.env, c.escape, ins.at).text);
  } catch {
    return upperKeyword(ins.original);
  }
}

/** Like {@link shownText} for shell text: known variables are filled in, all else stays, quotes too. */
export function shownCommand(text: string, env: Env): string {
  const filled = text.replace(/'[^']*'|\\.|\$(\w+)|\$\{(\w+)\}/gs, (whole: string, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    return name === undefined ? whole : (env.get(name) ?? whole);
  });
  return upperKeyword(filled);
}

function upperKeyword(text: string): string {
  const end = text.search(/\s|$/);
  return text.slice(0, end).toUpperCase() + text.slice(end);
}

function platformPrefix(c: StageContext, env: Env): string {
  const { platform, buildPlatform, platformNames } = c.options;
  if (platformNames === "foreign" && samePlatform(platform, buildPlatform)) return "";
  return formatPlatform(c.platform) + crossSuffix(c.platform, env);
}

/** `->arm64` when the stage's own variables say that it builds for another platform. */
function crossSuffix(base: Platform, env: Env): string {
  const target = platformOf(env, base);
  if (target === null) return "";
  if (target.os !== base.os) return `->${formatPlatform(target)}`;
  if (target.architecture === base.architecture) return "";
  return `->${target.architecture}${target.variant === undefined ? "" : `/${target.variant}`}`;
}

function platformOf(env: Env, base: Platform): Platform | null {
  const os = env.get("TARGETOS") || base.os;
  const arch = env.get("TARGETARCH") || base.architecture;
  const variant = env.get("TARGETVARIANT");
  const declared = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].some((key) => env.has(key));
  const text = env.get("TARGETPLATFORM") || (declared ? [os, arch, ...(variant ? [variant] : [])].join("/") : "");
  try {
    return text === "" ? null : parsePlatform(text);
  } catch {
    return null;
  }
}
