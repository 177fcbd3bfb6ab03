import { accessSync, constants } from "node:fs";
import { hasCode, isTbuildError, type SourceRange, type TbuildError, withRange } from "../cache/errors.js";
import { explainMissing } from "../cache/tree/explain.js";
import { readError } from "../cache/tree/fileError.js";
import { hasWildcards } from "../cache/tree/glob.js";
import { joinPath, osPath, toBytes } from "../cache/tree/names.js";
import { selectRoots } from "../cache/tree/select.js";
import { combine } from "../frontend/dockerfile/errors.js";
import type { Vertex } from "../solver/graph.js";
import type { Warning } from "../solver/progress.js";
import { type ContextRead, contextReads } from "./contextReads.js";
import { excludedBy, missingSource, type SearchedTree } from "./missingSource.js";
import type { LocalDirectory } from "./source/local.js";
import type { TextFile } from "./textFile.js";
import { wordRange } from "./wordRange.js";

/**
 * Looks for every file that COPY, ADD and bind mounts want from local directories before anything runs, so that a typo
 * costs no minutes. All that is missing is reported at once; wildcards that match nothing are allowed, and returned as
 * warnings. @throws {TbuildError} not_found, permission_denied
 */
export function checkSources(steps: readonly Vertex[], locals: ReadonlyMap<string, LocalDirectory>, dockerfile: TextFile): readonly Warning[] {
  const text = dockerfile.bytes.toString("utf8");
  const checked = contextReads(steps).map((read) => checkRead(read, locals.get(read.directory), text));
  const errors = checked.flatMap((one) => one.errors);
  if (errors.length > 0) throw combine(errors);
  return checked.flatMap(({ warnings }) => warnings);
}

interface Checked {
  readonly errors: readonly TbuildError[];
  readonly warnings: readonly Warning[];
}

function checkRead(read: ContextRead, local: LocalDirectory | undefined, text: string): Checked {
  if (local === undefined) return { errors: [], warnings: [] };
  const tree = searchedTree(read.directory, local);
  const paths = [read.selection.path, ...read.required];
  const at = (path: string) => (read.at === undefined ? undefined : wordRange(read.at, text, path));
  const errors = paths.flatMap((path, index) => {
    const selection = index === 0 ? read.selection : { ...read.selection, path, wildcard: false, allowEmpty: false, include: [], exclude: [] };
    return errorOf({ ...read, selection }, tree, at(path));
  });
  const empty = errors.length === 0 && matchesNothing(read, tree);
  return { errors, warnings: empty ? [emptyWildcard(read.selection.path, tree, at(read.selection.path))] : [] };
}

function searchedTree(name: string, local: LocalDirectory): SearchedTree {
  const shown = name === "context" ? "the build context" : `the context "${name}" at`;
  const { path, ignore, ignoreFile = null } = local;
  return { path, ignore, ignoreFile, name: `${shown} "${path}"`, kind: "directory" };
}

function errorOf({ doing, selection }: ContextRead, tree: SearchedTree, at: SourceRange | undefined): readonly TbuildError[] {
  try {
    for (const { root, treePath, stat } of selectRoots(toBytes(tree.path), tree.ignore, selection)) {
      if (stat.isFile() || stat.isDirectory()) checkReadable(root, treePath);
    }
    return [];
  } catch (error) {
    if (hasCode(error, "not_found")) return [missingSource(doing, selection.path, tree, at)];
    const known = withRange(readError(error, selection.path.slice(1), "read"), at);
    if (isTbuildError(known)) return [known];
    throw known;
  }
}

function checkReadable(root: string, treePath: string): void {
  try {
    accessSync(osPath(joinPath(root, treePath)), constants.R_OK);
  } catch (error) {
    throw readError(error, treePath, "read");
  }
}

function matchesNothing({ selection }: ContextRead, tree: SearchedTree): boolean {
  if (!selection.wildcard || !selection.allowEmpty || !hasWildcards(selection.path)) return false;
  return selectRoots(toBytes(tree.path), tree.ignore, selection).length === 0;
}

/** BuildKit copies nothing, and says nothing. */
function emptyWildcard(asked: string, tree: SearchedTree, at: SourceRange | undefined): Warning {
  const missing = explainMissing(tree.path, tree.ignore, asked);
  const why = missing.kind === "excluded" ? excludedBy(missing, tree.ignoreFile) : `nothing matches it in ${tree.name}`;
  const closest = missing.kind === "absent" ? missing.closest : null;
  const meant = closest === null ? "" : `; did you mean "${closest.path}"?`;
  return { rule: null, message: `"${asked.slice(1)}" copies nothing: ${why}${meant}`, detail: "", url: null, at: at ?? null };
}
