const HTTP = /^https?:\/\//;
const SCP_STYLE = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/;

/** True for a source that Git fetches: git:// and ssh:// URLs, http(s) ones whose path ends in ".git", user@host:path. */
export function isGit(source: string): boolean {
  if (/^(?:git|ssh):\/\//i.test(source) || SCP_STYLE.test(source)) return true;
  return HTTP.test(source) && /^[^?#]*\.git(?:[?#]|$)/.test(source);
}

/** True for a file to download. */
export function isHttp(source: string): boolean {
  return HTTP.test(source) && !isGit(source);
}

/** True for what is not a path. */
export function isRemote(source: string): boolean {
  return isGit(source) || isHttp(source);
}
