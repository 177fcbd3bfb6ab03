import type { Output } from "../../../solver/llb/state.js";
import { type FileChange, type StepInfo, fileStep, mergeStep } from "../convertNodes.js";
import { refused } from "../errors.js";
import type { AddInstruction, CopyInstruction } from "../instruction.js";

/**
 * True when `--link` has its effect. As in BuildKit a copy with `--chmod` is made in place all the same.
 * @throws {TbuildError} invalid_argument for an owner by name: there is no passwd file to look it up in
 */
export function isLinked(
  ins: CopyInstruction | AddInstruction,
  { chmod, chown }: { readonly chmod: string; readonly chown: string },
): boolean {
  if (!ins.link || chmod !== "") return false;
  const name = chown.split(":").find((part) => part !== "root" && !/^\d*$/.test(part));
  if (name !== undefined) {
    const at = ins.where(ins.chown ?? "");
    const message = `Cannot look up "${name}" for --chown: with --link files are copied onto nothing`;
    throw refused(message, at, "Give ids, or leave --link out");
  }
  return true;
}

/**
 * A copy whose layer depends on nothing below: it is made onto the empty tree, then put on top of `base`. Both steps show as
 * one; `linked` is the name of the second.
 */
export function linkedCopy(base: Output | null, changes: readonly FileChange[], info: StepInfo, linked: string): Output {
  const group = (weak: boolean) => ({ id: `link ${info.name}`, name: info.name, weak });
  const copied = fileStep(null, changes, { ...info, group: group(true) });
  return base === null ? copied : mergeStep([base, copied], { ...info, name: linked, group: group(false) });
}
