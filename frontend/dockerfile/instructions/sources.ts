import type { StageInstruction } from "../convertState.js";
import { variableInFrom } from "../errors.js";
import { mountFrom } from "./mountOptions.js";

/** True when `--from` or a mount may name a tree: all that {@link sourceWords} need be asked about. */
export function readsTrees(ins: StageInstruction): boolean {
  return (ins.name === "run" && ins.mounts.length > 0) || (ins.name === "copy" && ins.from !== null);
}

/** What `--from` and mounts of an instruction name: stages, indexes or images. @throws {TbuildError} when one has a variable */
export function sourceWords(ins: StageInstruction): readonly string[] {
  if (ins.name === "run") return ins.mounts.map((word) => mountFrom(word, ins.where)).filter((from) => from !== null);
  if (ins.name !== "copy" || ins.from === null) return [];
  if (/\$./.test(ins.from)) throw variableInFrom(ins.from, ins.where(ins.from));
  return [ins.from];
}
