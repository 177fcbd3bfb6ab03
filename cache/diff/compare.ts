import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { DiffInput, DiffOutput } from "../bulk/layerJobs.js";
import { findLower, isWhiteout, listLower } from "./lowerDirectory.js";
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
  const packer = createPacker({ emit: input.emit, clampMtime: input.clampMtime, form: input.form }, ctx);
  const { source } = input;
  if (source.kind === "upper") packUpper(packer, toLatin1(source.path), source.lower.map(toLatin1), source.apart === true);
  else if (source.lower === null) packAll(packer, toLatin1(source.upper), "");
  else packChanges(packer, toLatin1(source.lower), toLatin1(source.upper), ctx);
  return packer.finish();
}

/**
 * Packs overlayfs's upper layer. A directory that was only copied up, with nothing in it that changed, is left out: a
 * mount point that was made and removed again is no change. Of a directory that hides what is below, the names that are gone
 * are told one by one, so that a layer takes away no more than it has seen, whatever it is put on; one that is kept `apart`
 * has seen nothing, and stays as it is. Source: kernel, filesystems/overlayfs.rst; BuildKit, util/overlay.
 */
function packUpper(packer: Packer, upper: string, lower: readonly string[], apart: boolean): void {
  const parents = createParents(packer);

  function packDirectory(dir: string, hides: boolean): void {
    const own = listNames(joinPath(upper, dir));
    const below = hides ? listLower(lower, dir) : new Set<string>();
    for (const name of below.size === 0 ? own : [...new Set([...own, ...below])].sort()) {
      const entry = joinPath(dir, name);
      const path = joinPath(upper, entry);
      const stat = fs.lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined || isWhiteout(stat)) {
        // What is hidden anyway need not be taken away unless it is there.
        if (!hides || below.has(name)) removeName(dir, name);
      } else if (stat.isDirectory()) packChild({ path, entry, stat }, hides);
      else {
        parents.add();
        packer.add(path, entry, stat);
      }
    }
  }

  function removeName(dir: string, name: string): void {
    parents.add();
    packer.addWhiteout(dir, name);
  }

  function packChild(child: Directory, isHidden: boolean): void {
    const below = isHidden ? null : findLower(lower, child.entry);
    const opaque = isOpaque(child.path);
    parents.push(child);
    if (below === null || opaque || !isUnchanged(below, child)) parents.add();
    if (opaque && apart) packer.addOpaque(child.entry);
    packDirectory(child.entry, isHidden || (opaque && !apart));
    parents.pop(child);
  }

  packDirectory("", false);
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
  const parents = createParents(packer);

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
    parents.add();
    packer.addWhiteout(dir, name);
  }

  function addTree(entry: string, stat: fs.BigIntStats): void {
    parents.add();
    packer.add(joinPath(upper, entry), entry, stat);
    if (stat.isDirectory()) packAll(packer, upper, entry);
  }

  function compareEntry(entry: string, before: fs.BigIntStats, after: fs.BigIntStats): void {
    const path = joinPath(upper, entry);
    const same = isUnchanged({ path: joinPath(lower, entry), stat: before }, { path, stat: after });
    if (!before.isDirectory() || !after.isDirectory()) return same ? undefined : addTree(entry, after);
    const child = { path, entry, stat: after };
    parents.push(child);
    if (!same) parents.add();
    compareDirectory(entry);
    parents.pop(child);
  }

  compareDirectory("");
}

/** A directory that is being walked. */
interface Directory {
  readonly path: string;
  /** Name in the layer. */
  readonly entry: string;
  readonly stat: fs.BigIntStats;
}

/** Unchanged directories above the current one: they are packed once something below them is. */
interface Parents {
  push(dir: Directory): void;
  /** Packs those that wait. */
  add(): void;
  /** Leaves the directory, packed or not. */
  pop(dir: Directory): void;
}

function createParents(packer: Packer): Parents {
  const waiting: Directory[] = [];
  return {
    push: (dir) => void waiting.push(dir),
    add() {
      for (const { path, entry, stat } of waiting.splice(0)) packer.add(path, entry, stat);
    },
    pop(dir) {
      if (waiting.at(-1) === dir) waiting.pop();
    },
  };
}

/** Names in byte order, latin1. */
function listNames(dir: string): string[] {
  return fs.readdirSync(fsPath(dir), "latin1").sort();
}

function lstat(path: string): fs.BigIntStats {
  return fs.lstatSync(fsPath(path), { bigint: true });
}
