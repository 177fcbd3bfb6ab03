import type { BulkPool } from "../../../cache/bulk/pool.js";
import type { ListedFile } from "../../../cache/bulk/treeEntries.js";
import { TbuildError } from "../../../cache/errors.js";
import { followLinks } from "../../../cache/tree/followLinks.js";
import { toBytes } from "../../../cache/tree/names.js";
import type { IgnoreRules } from "../../../cache/tree/patterns.js";
import { syncFiles } from "../../api/sessionFiles.js";
import { sendEntries } from "../../session/sendTrees.js";
import { entryOf, type OutputEntry } from "../../session/treeList.js";
import type { ServedCall } from "./servedCall.js";
import type { Offers } from "./serveSession.js";

/** A directory that a builder may read, by the name that it has for the builder. */
export interface OfferedDirectory {
  /** Absolute path. */
  readonly path: string;
  /** What these match does not leave this machine, whatever the builder asks for. */
  readonly ignore: IgnoreRules;
}

/** A directory of which only some files can be read, and what they are links to. */
export function someFiles(path: string, names: readonly string[]): OfferedDirectory {
  const literal = names.map((name) => name.replace(/[*?[\\\]]/g, "\\$&"));
  const followed = followLinks(toBytes(path), literal);
  return { path, ignore: followed === "everything" ? [] : ["*", ...followed.map((pattern) => `!${pattern}`)] };
}

/** Gives the builder what it asks for of directories; it hears what there is, and gets no file that it does not ask for. */
export function directoryOffers(directories: ReadonlyMap<string, OfferedDirectory>, pool: Pick<BulkPool, "run">): Offers {
  return {
    async [syncFiles.path](call) {
      const [name = ""] = listOf(call, "dir-name");
      const directory = directories.get(name);
      if (directory === undefined) throw new TbuildError("not_found", `no access allowed to dir "${name}"`);
      const { path, ignore } = directory;
      const only = { ignore, include: listOf(call, "include-patterns"), exclude: listOf(call, "exclude-patterns"), follow: listOf(call, "followpaths") };
      const files = await pool.run("listTree", { path, xattrs: true, only }, { signal: call.signal });
      await sendEntries(call, files.filter(isSent).map((file) => anonymous(file, path)), pool, { signal: call.signal });
    },
  };
}

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;

/** There is nothing to send of a socket. */
function isSent({ mode }: ListedFile): boolean {
  return (mode & S_IFMT) !== S_IFSOCK;
}

/** Who owns files on this machine means nothing in an image. */
function anonymous(file: ListedFile, root: string): OutputEntry {
  return entryOf({ ...file, uid: 0, gid: 0 }, root, "");
}

/** Source: BuildKit, session/filesync/filesync.go "decodeOpts". */
function listOf(call: ServedCall, name: string): readonly string[] {
  const values = call.header(name);
  if (call.header(`${name}-encoded`).length === 0) return values;
  return values.map((value) => decodeURIComponent(value.replaceAll("+", " ")));
}
