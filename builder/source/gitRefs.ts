import { TbuildError } from "../../cache/errors.js";
import { suggest } from "../../frontend/dockerfile/suggest.js";

/** What a name in a repository is. */
export interface GitRef {
  /** "refs/heads/main"; of a commit, its own digest; "HEAD". */
  readonly name: string;
  readonly commit: string;
  /** Of an annotated tag, the digest of the tag itself; else the commit's. */
  readonly object: string;
}

/** True for the whole digest of a commit. */
export function isCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** What `git ls-remote` prints, by name. With `--symref`, what HEAD stands for has the name "ref HEAD". */
export function parseRefs(output: string): ReadonlyMap<string, string> {
  const head = /^ref: (\S+)\tHEAD$/m.exec(output)?.[1];
  if (head !== undefined) return new Map([...parseRefs(output.replace(/^ref: .*\n?/gm, "")), ["ref HEAD", head]]);
  return new Map(output.split("\n").flatMap((line) => (/\t/.test(line) ? [[line.slice(line.indexOf("\t") + 1), line.slice(0, line.indexOf("\t"))] as const] : [])));
}

/** Finds a branch, a tag or any other ref; a branch wins over a tag of the same name, as for git checkout. Null when there is none. */
export function findRef(refs: ReadonlyMap<string, string>, ref: string): GitRef | null {
  const names = ref === "" ? ["HEAD"] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`, ref];
  for (const name of names) {
    const object = refs.get(name);
    // What clients are told is the branch, where the server says which it is.
    if (object !== undefined) return { name: name === "HEAD" ? (refs.get("ref HEAD") ?? name) : name, object, commit: refs.get(`${name}^{}`) ?? object };
  }
  return null;
}

/** The error for a ref that a repository does not have, with the nearest that it has. `url` is shown. */
export function unknownRef(refs: ReadonlyMap<string, string>, ref: string, url: string): TbuildError {
  const names = [...refs.keys()].map((name) => name.replace(/^refs\/(?:heads|tags)\//, "")).filter((name) => !name.includes("^"));
  const near = suggest(ref, names);
  const some = names.filter((name) => name !== "HEAD").slice(0, 10).join(", ");
  const hint = near === null ? (some === "" ? "The repository is empty" : `It has ${some}`) : `Did you mean "${near}"?`;
  return new TbuildError("not_found", `Cannot find "${ref === "" ? "HEAD" : ref}" in the Git repository "${url}"`, { hint });
}

/** @throws {TbuildError} digest_mismatch unless the commit, or the tag that names it, begins with `checksum` */
export function checkCommit({ commit, object }: GitRef, checksum: string, url: string): void {
  if (commit.startsWith(checksum) || object.startsWith(checksum)) return;
  throw new TbuildError("digest_mismatch", `Cannot use the Git repository "${url}": its commit is ${commit}, the checksum says ${checksum}`);
}
