import type { Digest } from "../../cache/oci/digest.js";
import { fileStep, sourceStep } from "../../frontend/dockerfile/convertNodes.js";
import { gitSource } from "../../frontend/dockerfile/gitSource.js";
import type { GitUrl } from "../../frontend/dockerfile/gitUrl.js";
import { defaultCopy, type Output } from "../../solver/llb/state.js";

/** Name of the one file that a download, or standard input, is in. */
export const FILE = "context";

/** The files of a repository. */
export function gitStep(url: GitUrl, shown: string, keepGitDir: boolean): Output {
  const { identifier, attrs } = gitSource(url, keepGitDir ? { keepGitDir } : {});
  return sourceStep(identifier, attrs, `[internal] load git source ${shown}`, [], null);
}

/** A downloaded file, as {@link FILE}. */
export function downloadStep(url: string, checksum: Digest | null, shown: string): Output {
  const attrs = { "http.filename": FILE, ...(checksum === null ? {} : { "http.checksum": checksum }) };
  return sourceStep(url, attrs, `[internal] load remote build context ${shown}`, [], null);
}

/** What was piped in, as {@link FILE} of the local directory "stdin". */
export function stdinStep(): Output {
  return sourceStep("local://stdin", { "local.sharedkeyhint": "stdin" }, "[internal] load build context from standard input", [], null);
}

/** The files of the archive {@link FILE} in `source`, or of one that has another name. */
export function unpackStep(source: Output, file: string = FILE): Output {
  const action = () => ({ ...defaultCopy, src: `/${file}`, dest: "/", attemptUnpack: true });
  return fileStep(null, [{ source, action }], { name: "[internal] unpack build context", at: [], ignoreCache: false, platform: null });
}
