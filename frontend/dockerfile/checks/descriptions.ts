import type { Instruction, ParsedDockerfile } from "../instruction.js";
import { type WarningSink, violation } from "../lint.js";

/** What a comment `# name text` directly above the definition of `name` says of it; "" when there is none. */
export function descriptionOf(name: string | null, comments: readonly string[]): string {
  const line = name === null ? undefined : comments.find((comment) => comment.startsWith(`${name} `));
  return line === undefined ? "" : line.slice(line.indexOf(" ") + 1);
}

/** Warns of comments directly above a stage or ARG that do not begin with what it defines. */
export function lintDescriptions({ instructions }: ParsedDockerfile, warn: WarningSink): void {
  for (const ins of instructions) {
    if (ins.comments.length === 0) continue;
    const names = definedBy(ins);
    const first = ins.comments.filter((comment) => !/^check\s*=/i.test(comment)).at(-1)?.split(" ", 1)[0];
    if (names.length === 0 || first === undefined || names.includes(first)) continue;
    const example = names.length > 1 ? "<arg_key>" : names[0]!;
    warn(violation("InvalidDefinitionDescription", ins.at, ins.name.toUpperCase(), example));
  }
}

function definedBy(ins: Instruction): readonly string[] {
  if (ins.name === "from") return ins.as === null ? [] : [ins.as];
  return ins.name === "arg" ? ins.args.map(({ key }) => key) : [];
}
