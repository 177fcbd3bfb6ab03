import fs from "node:fs";
import type { DiffInput, DiffOutput, JobContext } from "../bulk/jobs.js";
import { createPacker, typeOf, type Packer } from "./pack.js";
import { fsPath, joinPath, toLatin1 } from "./rootPath.js";
import { isUnchanged } from "./unchanged.js";
import { isOpaque } from "./xattrs.js";

/**
 * The tar of a snapshot's changes: parents first, names of a directory in byte order, a whiteout where its name would be.
 * The root itself is not in it. Every changed entry comes with the directories above it. Equal changes give equal bytes.
 * @throws {TbuildError} corrupt when a file changes meanwhile, unsupported for what a layer cannot hold
 */
export function diffLayer(input: DiffInput, ctx: JobContext): DiffOutput {
  const packer = createPacker({ emit: input.emit, clampMtime: input.clampMtime }, ctx);
  const { source } = input;
  if (source.kind === "upper") packUpper(packer, toLatin1(source.path), "");
  else if (source.lower === null) packAll(packer, toLatin1(source.upper), "");
  else packChanges(packer, toLatin1(source.lower), toLatin1(source.upper), ctx);
  return packer.finish();
}

/** Packs everything below a directory of overlayfs's upper layer. Source: kernel, filesystems/overlayfs.rst */
function packUpper(packer: Packer, root: string, dir: string): void {
  for (const name of listNames(joinPath(root, dir))) {
    const [path, entry] = [joinPath(root, joinPath(dir, name)), joinPath(dir, name)];
    const stat = lstat(path);
    if (stat.isCharacterDevice() && stat.rdev === 0n) {
      packer.addWhiteout(dir, name);
      continue;
    }
    packer.add(path, entry, stat);
    if (!stat.isDirectory()) continue;
    if (isOpaque(path)) packer.addOpaque(entry);
    packUpper(packer, root, entry);
  }
}

/** Packs everything below a directory of a whole tree. */
function packAll(packer: Packer, root: string, dir: string): void {
  for (const name of listNames(joinPath(root, dir))) {
    const [path, entry] = [joinPath(root, joinPath(dir, name)), joinPath(dir, name)];
    const stat = lstat(path);
    packer.add(path, entry, stat);
    if (stat.isDirectory()) packAll(packer, root, entry);
  }
}

/** Packs what differs between two whole trees. */
function packChanges(packer: Packer, lower: string, upper: string, ctx: JobContext): void {
  // Unchanged directories above the current one: they are added once something below them is.
  const parents: { readonly path: string; readonly entry: string; readonly stat: fs.BigIntStats }[] = [];

  function addParents(): void {
    for (const { path, entry, stat } of parents.splice(0)) packer.add(path, entry, stat);
  }

  function compareDirectory(dir: string): void {
    ctx.tick(0, 0);
    const before = new Set(listNames(joinPath(lower, dir)));
    const after = new Set(listNames(joinPath(upper, dir)));
    for (const name of [...new Set([...before, ...after])].sort()) {
      const entry = joinPath(dir, name);
      const stat = after.has(name) ? lstat(joinPath(upper, entry)) : null;
      // A socket has no place in a layer, so it counts as absent.
      if (stat === null || typeOf(stat) === null) {
        if (before.has(name)) remove(dir, name);
      } else if (before.has(name)) compareEntry(entry, lstat(joinPath(lower, entry)), stat);
      else addTree(entry, stat);
    }
  }

  function remove(dir: string, name: string): void {
    addParents();
    packer.addWhiteout(dir, name);
  }

  function addTree(entry: string, stat: fs.BigIntStats): void {
    addParents();
    packer.add(joinPath(upper, entry), entry, stat);
    if (stat.isDirectory()) packAll(packer, upper, entry);
  }

  function compareEntry(entry: string, before: fs.BigIntStats, after: fs.BigIntStats): void {
    const path = joinPath(upper, entry);
    const same = isUnchanged({ path: joinPath(lower, entry), stat: before }, { path, stat: after });
    if (!before.isDirectory() || !after.isDirectory()) return same ? undefined : addTree(entry, after);
    parents.push({ path, entry, stat: after });
    if (!same) addParents();
    compareDirectory(entry);
    if (parents.at(-1)?.entry === entry) parents.pop();
  }

  compareDirectory("");
}

/** Names in byte order, latin1. */
function listNames(dir: string): string[] {
  return fs.readdirSync(fsPath(dir), "latin1").sort();
}

function lstat(path: string): fs.BigIntStats {
  return fs.lstatSync(fsPath(path), { bigint: true });
}
