import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync, type Stats } from "node:fs";
import path from "node:path";
import { lutimes } from "../../cache/sys/node.js";
import { realPathInRoot } from "./rootFile.js";

/** A place that a mount needs in the root file system. */
export interface MountTarget {
  readonly dest: string;
  readonly kind: "file" | "directory";
}

/**
 * Makes the mount points that `rootfs` lacks, and on dispose removes those that are still empty, so that a step leaves
 * nothing behind that it did not write itself. Directory times are kept as if nothing had happened.
 */
export function mountStubs(rootfs: string, targets: readonly MountTarget[]): Disposable {
  const made: string[] = [];
  for (const target of targets) made.push(...makeStub(rootfs, target));
  return {
    [Symbol.dispose]: () => {
      for (const stub of made.reverse()) removeStub(stub);
    },
  };
}

/** Real paths of what had to be made, outermost first. */
function makeStub(rootfs: string, target: MountTarget): string[] {
  const dest = path.posix.join("/", target.dest);
  if (dest === "/") return [];
  const parent = path.posix.dirname(dest);
  const parents = parent === "/" ? [] : makeStub(rootfs, { dest: parent, kind: "directory" });
  const real = realPathInRoot(rootfs, dest);
  if (real === null || lstatOrNull(real) !== null) return parents;
  keepingTimes(path.dirname(real), () => {
    if (target.kind === "directory") mkdirSync(real, 0o755);
    else writeFileSync(real, "", { mode: 0o755, flag: "wx" });
  });
  return [...parents, real];
}

function removeStub(stub: string): void {
  const stat = lstatOrNull(stub);
  if (stat === null) return;
  if (stat.isDirectory() && readdirSync(stub).length === 0) keepingTimes(path.dirname(stub), () => rmdirSync(stub));
  if (stat.isFile() && stat.size === 0) keepingTimes(path.dirname(stub), () => unlinkSync(stub));
}

function keepingTimes(dir: string, body: () => void): void {
  const { atimeNs, mtimeNs } = lstatSync(dir, { bigint: true });
  body();
  lutimes(dir, atimeNs, mtimeNs);
}

function lstatOrNull(file: string): Stats | null {
  return lstatSync(file, { throwIfNoEntry: false }) ?? null;
}
