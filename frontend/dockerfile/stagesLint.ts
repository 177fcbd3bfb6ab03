import type { Sections } from "./stages.js";
import { type WarningSink, violation } from "./lint.js";

const RESERVED = new Set(["scratch", "context"]);

/** Checks of stage names and of the casing of keywords, which need no values. */
export function lintStages(sections: Sections, warn: WarningSink): void {
  const seen = new Set<string>();
  for (const { from } of sections.stages) {
    if (from.asWritten === null || from.as === null) continue;
    const { keyword, name } = from.asWritten;
    if (name !== from.as) warn(violation("StageNameCasing", from.at, name));
    if (isUpper(keyword) !== isUpper(from.keyword)) warn(violation("FromAsCasing", from.at, from.keyword, keyword));
    if (RESERVED.has(from.as)) warn(violation("ReservedStageName", from.at, from.as));
    if (seen.has(from.as)) warn(violation("DuplicateStageName", from.at, from.as));
    seen.add(from.as);
  }
  lintCasing(sections, warn);
}

function lintCasing(sections: Sections, warn: WarningSink): void {
  const all = sections.stages.flatMap(({ from, body }) => [from, ...body]);
  if (all.every(({ keyword }) => isUpper(keyword))) return;
  const lower = all.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const upper = all.filter(({ keyword }) => keyword === keyword.toUpperCase()).length;
  const [majority, right] = lower > upper ? ["lowercase", toLower] : ["uppercase", toUpper];
  for (const { keyword, at } of all) {
    if (keyword !== right(keyword)) warn(violation("ConsistentInstructionCasing", at, keyword, majority));
  }
}

const toLower = (text: string): string => text.toLowerCase();
const toUpper = (text: string): string => text.toUpperCase();
const isUpper = (text: string): boolean => text === text.toUpperCase();
