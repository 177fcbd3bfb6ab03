import { type FileChange, sourceStep } from "../convertNodes.js";
import { badValue, located, refused } from "../errors.js";
import { commitPrefix } from "../gitQuery.js";
import { gitSource } from "../gitSource.js";
import { type GitUrl, parseGitUrl } from "../gitUrl.js";
import type { AddInstruction } from "../instruction.js";
import { type ExpandedCopy, copyAction } from "./copyStep.js";

/** The repository that a source of ADD names; null for a path or a download. @throws {TbuildError} invalid_argument */
export function gitUrlOf(source: string, ins: AddInstruction): GitUrl | null {
  const url = located(ins.where(source), () => parseGitUrl(source));
  return url === null || url.ambiguous ? null : url;
}

/** Copies a checked out repository. What flags and URL both say must agree. @throws {TbuildError} invalid_argument */
export function addGit(url: GitUrl, checksum: string | null, name: string, ins: AddInstruction, copy: ExpandedCopy): FileChange {
  const commit = commitOf(url, checksum, ins);
  if (ins.keepGitDir !== null && url.keepGitDir !== null && ins.keepGitDir !== url.keepGitDir) {
    throw refused("Cannot use --keep-git-dir: the URL says otherwise", ins.where("--keep-git-dir"));
  }
  const { identifier, attrs } = gitSource(url, { keepGitDir: ins.keepGitDir, checksum: commit });
  return {
    source: sourceStep(identifier, attrs, name, [ins.at], null),
    action: (owner) => copyAction("/", copy, owner),
  };
}

function commitOf(url: GitUrl, checksum: string | null, ins: AddInstruction): string | null {
  if (checksum === null) return null;
  const at = ins.where(ins.checksum ?? "");
  const commit = commitPrefix(checksum);
  if (commit === null) throw badValue("--checksum", checksum, at, "For a Git repository write a commit, or how it begins");
  if (url.checksum !== "" && url.checksum !== commit) {
    throw refused(`Cannot use "${checksum}" as --checksum: the URL says "${url.checksum}"`, at);
  }
  return commit;
}
