import type { SourceRange } from "../../cache/errors.js";
import type { Build } from "../dockerfile/convert.js";
import { expandWord } from "../dockerfile/expand.js";
import type { Word } from "../dockerfile/instruction.js";
import type { Sections, Stage } from "../dockerfile/stages.js";

/** Names of global ARGs that the FROMs of `stages` or `inherited` use, directly or in the default of another. */
export function usedGlobals(
  { globals }: Sections,
  stages: readonly Stage[],
  inherited: ReadonlySet<string>,
  build: Build,
): ReadonlySet<string> {
  const used = new Set(inherited);
  for (const { from } of stages) {
    for (const word of [from.image, from.platform ?? ""]) for (const name of variablesOf(word, from.at, build)) used.add(name);
  }
  // Defaults only name ARGs above them, and the last definition of a name is the one that counts.
  const open = new Set(used);
  for (const { args, at } of [...globals].reverse()) {
    for (const { key, value } of [...args].reverse()) {
      if (!open.delete(key) || value === null || build.options.buildArgs.has(key)) continue;
      for (const name of variablesOf(value, at, build)) for (const names of [used, open]) names.add(name);
    }
  }
  return used;
}

function variablesOf(word: Word, at: SourceRange, { globals, parsed }: Build): readonly string[] {
  const asked = new Set<string>();
  const get = (name: string): string | undefined => {
    asked.add(name);
    return globals.get(name);
  };
  expandWord(word, { get }, parsed.escape, at);
  return [...asked];
}
