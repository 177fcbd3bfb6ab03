import { isTbuildError } from "../../../cache/errors.js";
import { parseReference } from "../../../cache/oci/reference.js";
import type { FrontendOptions } from "../../options.js";
import { globalArgs } from "../args.js";
import { expandWord } from "../expand.js";
import type { FromInstruction } from "../instruction.js";
import { type WarningSink, violation } from "../lint.js";
import type { Env } from "../scopeEnv.js";
import type { Sections } from "../stages.js";
import type { EscapeChar } from "../words.js";

/** Warns of a FROM that names no image unless build arguments are given. */
export function lintDefaultArgs(
  sections: Sections,
  predefined: Env,
  options: FrontendOptions,
  escape: EscapeChar,
  warn: WarningSink,
): void {
  const defaults = unlessRefused(() => globalArgs(sections.globals, predefined, { ...options, buildArgs: new Map() }, escape));
  if (defaults === null) return;
  for (const { from } of sections.stages) {
    if (!from.image.includes("$") || namesImage(from, defaults, escape)) continue;
    warn(violation("InvalidDefaultArgInFrom", from.at, from.image));
  }
}

function namesImage(from: FromInstruction, defaults: Env, escape: EscapeChar): boolean {
  return unlessRefused(() => parseReference(expandWord(from.image, defaults, escape, from.at).text)) !== null;
}

/** Null for a mistake: where it matters, the build reports it. */
function unlessRefused<T>(part: () => T): T | null {
  try {
    return part();
  } catch (error) {
    if (isTbuildError(error)) return null;
    throw error;
  }
}
