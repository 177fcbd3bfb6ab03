import type { StageInstruction } from "../convertState.js";
import { variableInFrom } from "../errors.js";
import { mountFrom } from "./mountOptions.js";

/** What `--from` and mounts of an instruction name: stages, indexes or images. @throws {TbuildError} when one has a variable */
export function sourceWords(ins: StageInstruction): readonly string[] {
  if (ins.name === "run") return ins.mounts.map((word) => mountFrom(word, ins.where)).filter((from) => from !== null);
  if (ins.name !== "copy" || ins.from === null) return [];
  if (/\$./.test(ins.from)) throw variableInFrom(ins.from, ins.where(ins.from));
  return [ins.from];
}
