import { isDigest } from "../../../cache/oci/digest.js";
import { lintIgnored } from "../checks/copyIgnored.js";
import { rootedPath } from "../contextPaths.js";
import { type FileChange, sourceStep } from "../convertNodes.js";
import { type StageContext, type StageState, withReads } from "../convertState.js";
import { badValue, refused } from "../errors.js";
import type { AddInstruction } from "../instruction.js";
import { expand } from "../scope.js";
import { addGit, gitUrlOf } from "./addGit.js";
import { type ExpandedCopy, copyAction, copyStep, expandCopy, localCopy } from "./copyStep.js";
import { isHttp, isRemote } from "./remote.js";

/** ADD: like COPY from the build context, but unpacks archives; downloads; and fetches Git repositories. */
export function applyAdd(s: StageState, ins: AddInstruction, c: StageContext): StageState {
  const copy = expandCopy(ins, s, c);
  const checksum = checksumOf(copy, s, ins, c);
  const local = copy.sources.filter((source) => !isRemote(source));
  lintIgnored(ins, local, c);
  const change = (source: string, name: string): FileChange => {
    const git = gitUrlOf(source, ins);
    if (git !== null) return addGit(git, checksum, name, ins, copy);
    if (isHttp(source)) return download(source, checksum, name, ins, copy);
    return localCopy(source, c.buildContext, copy, { unpack: ins.unpack ?? true, parents: false });
  };
  const changes = (name: string): readonly FileChange[] => copy.sources.map((source) => change(source, name));
  return withReads(copyStep(s, ins, c, copy, { changes, flags: [] }), c.buildContext, local.map(rootedPath));
}

function checksumOf(copy: ExpandedCopy, s: StageState, ins: AddInstruction, c: StageContext): string | null {
  if (ins.checksum === null) return null;
  const checksum = expand(ins.checksum, s, c, ins.at);
  if (checksum === "") return null;
  const at = ins.where(ins.checksum);
  const [source, ...more] = copy.sources;
  if (more.length > 0) throw refused("Cannot check several sources against one --checksum", at);
  if (source === undefined || !isRemote(source)) throw refused("Cannot use --checksum without a URL", at);
  return checksum;
}

function download(url: string, checksum: string | null, name: string, ins: AddInstruction, copy: ExpandedCopy): FileChange {
  if (checksum !== null && !isDigest(checksum)) {
    throw badValue("--checksum", checksum, ins.where(ins.checksum ?? ""), 'Write "sha256:" and 64 lower-case hex digits');
  }
  const filename = fileNameOf(url);
  const attrs = { ...(checksum === null ? {} : { "http.checksum": checksum }), "http.filename": filename };
  return {
    source: sourceStep(url, attrs, name, [ins.at], null),
    action: (owner) => ({ ...copyAction(`/${filename}`, copy, owner), attemptUnpack: ins.unpack ?? false }),
  };
}

function fileNameOf(url: string): string {
  const path = URL.canParse(url) ? decodePath(new URL(url).pathname) : "";
  return path.split("/").filter((part) => part !== "").at(-1) ?? "__unnamed__";
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
