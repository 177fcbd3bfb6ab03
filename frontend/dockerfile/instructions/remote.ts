import { hasCode } from "../../../cache/errors.js";
import { parseGitUrl } from "../gitUrl.js";

/** True for a source that Git fetches, also by a URL with a mistake in it. */
export function isGit(source: string): boolean {
  try {
    return parseGitUrl(source)?.ambiguous === false;
  } catch (error) {
    if (hasCode(error, "invalid_argument")) return true;
    throw error;
  }
}

/** True for a file to download. */
export function isHttp(source: string): boolean {
  return /^https?:\/\//.test(source) && !isGit(source);
}

/** True for what is not a path. */
export function isRemote(source: string): boolean {
  return isGit(source) || isHttp(source);
}
