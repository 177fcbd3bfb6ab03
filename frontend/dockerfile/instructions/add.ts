import { contextTree } from "../contextSource.js";
import { type FileChange, sourceStep } from "../convertNodes.js";
import type { StageContext, StageState } from "../convertState.js";
import { badValue, refused, unsupported } from "../errors.js";
import type { AddInstruction } from "../instruction.js";
import { expand } from "../scope.js";
import { isDigest } from "../../../cache/oci/digest.js";
import { type ExpandedCopy, copyAction, copyStep, expandCopy, localCopy, readsContext } from "./copyStep.js";
import { isGit, isHttp, isRemote } from "./remote.js";

/** ADD: like COPY from the build context, but unpacks archives; and downloads. */
export function applyAdd(s: StageState, ins: AddInstruction, c: StageContext): StageState {
  const copy = expandCopy(ins, s, c);
  const git = copy.sources.find(isGit);
  if (git !== undefined) throw unsupported(`ADD of the Git repository "${git}"`, ins.at);
  const checksum = checksumOf(copy, s, ins, c);
  const local = copy.sources.filter((source) => !isRemote(source));
  const changes = (name: string) =>
    copy.sources.map((source) =>
      isHttp(source)
        ? download(source, checksum, name, ins, copy)
        : localCopy(source, contextTree, copy, { unpack: ins.unpack ?? true, parents: false }),
    );
  return readsContext(copyStep(s, ins, c, copy, { changes, flags: [] }), local);
}

function checksumOf(copy: ExpandedCopy, s: StageState, ins: AddInstruction, c: StageContext): string | null {
  if (ins.checksum === null) return null;
  const checksum = expand(ins.checksum, s, c, ins.at);
  if (checksum === "") return null;
  const [source, ...more] = copy.sources;
  if (more.length > 0) throw refused("Cannot check several sources against one --checksum", ins.at);
  if (source === undefined || !isHttp(source)) throw refused("Cannot use --checksum without a URL", ins.at);
  if (!isDigest(checksum)) throw badValue("--checksum", checksum, ins.at, 'Write "sha256:" and 64 lower-case hex digits');
  return checksum;
}

function download(url: string, checksum: string | null, name: string, ins: AddInstruction, copy: ExpandedCopy): FileChange {
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
