import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import type { CopyAction } from "../bulk/actionJobs.js";
import type { Selection } from "../bulk/hashJobs.js";
import type { JobContext } from "../bulk/jobs.js";

/** A job context that counts nothing and sends nothing. */
export const quiet: JobContext = { tick() {}, emit() {} };

/** A new directory that is removed after the test file. */
export function tempDir(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-tree-"));
  after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * A new directory with these entries: "a/b": "text" is a file, "a/": "" a directory, "l": "-> target" a link.
 * Parents are made.
 */
export function tempTree(entries: Readonly<Record<string, string>>): string {
  const root = tempDir();
  for (const [name, content] of Object.entries(entries)) {
    const at = path.join(root, name);
    fs.mkdirSync(name.endsWith("/") ? at : path.dirname(at), { recursive: true });
    if (content.startsWith("-> ")) fs.symlinkSync(content.slice(3), at);
    else if (!name.endsWith("/")) fs.writeFileSync(at, content);
  }
  return root;
}

/** What a tree holds, in the form that {@link tempTree} takes; only empty directories are listed. */
export function listTree(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (dir: string): void => {
    const names = fs.readdirSync(path.join(root, dir)).sort();
    if (names.length === 0 && dir !== "") found[`${dir}/`] = "";
    for (const name of names) {
      const at = path.join(dir, name);
      const stat = fs.lstatSync(path.join(root, at));
      if (stat.isDirectory()) visit(at);
      else if (stat.isSymbolicLink()) found[at] = `-> ${fs.readlinkSync(path.join(root, at))}`;
      else found[at] = fs.readFileSync(path.join(root, at), "utf8");
    }
  };
  visit("");
  return found;
}

/** A selection as COPY makes it. */
export function copySelection(path: string, change: Partial<Selection> = {}): Selection {
  return { path, wildcard: true, followSymlink: true, dirContents: true, include: [], exclude: [], allowEmpty: false, ...change };
}

/** A copy action as COPY makes it. */
export function copyOf(sourceRoot: string, path: string, dest: string, change: Partial<CopyAction> = {}): CopyAction {
  return {
    kind: "copy", sourceRoot, ignore: [], selection: copySelection(path), dest, owner: { uid: 0, gid: 0 }, mode: null,
    modeText: null, createDestPath: true, unpack: false, archiveOwner: null, replaceExisting: false, mtime: 1_000_000, ...change,
  };
}
