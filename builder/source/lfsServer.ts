import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { authorization } from "./gitAccess.js";
import type { LfsServer } from "./lfsBatch.js";
import type { SourceRequest } from "./source.js";

/**
 * The LFS server of a repository: what its `.lfsconfig` says (`configured`, may be empty), else below the repository's own
 * URL, with https for those that HTTP does not reach. Credentials are for the repository's own host alone.
 * Source: git-lfs docs/api/server-discovery.md
 */
export function lfsServer(secrets: SecretStore, url: string, configured: string, attrs: SourceRequest["attrs"]): LfsServer {
  const repository = httpUrl(url);
  const own = new URL(repository);
  const base = /^https?:\/\//.test(configured) && URL.canParse(configured) ? configured.replace(/\/+$/, "") : `${repository}/info/lfs`;
  const header = new URL(base).host === own.host ? authorization(secrets, own.host, attrs) : null;
  return { url: base, headers: header === null ? {} : { authorization: header } };
}

function httpUrl(url: string): string {
  const clean = url.replace(/\/+$/, "");
  const named = clean.endsWith(".git") ? clean : `${clean}.git`;
  if (/^https?:\/\//.test(named)) return named;
  const { host = "localhost", path = "" } = parseGitUrl(named) ?? {};
  return `https://${host.replace(/:\d+$/, "")}/${path.replace(/^\//, "")}`;
}
