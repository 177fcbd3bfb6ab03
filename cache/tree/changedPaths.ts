import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { ChangedPath } from "../bulk/layerJobs.js";
import { lgetxattr } from "../sys/xattr.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";
import { lstatOrNull } from "./resolve.js";

const OPAQUE = ["trusted.overlay.opaque", "user.overlay.opaque"];

/**
 * What an upper directory of overlayfs adds, replaces and takes away, parents before what is in them.
 * Source: Linux Documentation/filesystems/overlayfs.rst
 */
export function changedPaths({ path }: { readonly path: string }, ctx: JobContext): readonly ChangedPath[] {
  const root = toBytes(path);
  const found: ChangedPath[] = [];
  const todo = [""];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    for (const name of fs.readdirSync(osPath(joinPath(root, dir)), "latin1")) {
      const inner = joinPath(dir, name);
      const change = changeAt(joinPath(root, inner), inner);
      if (change === null) continue;
      found.push(change);
      if (change.kind === "directory" || change.kind === "opaque") todo.push(inner);
    }
    ctx.tick(0, 1);
  }
  return found;
}

function changeAt(file: string, inner: string): ChangedPath | null {
  const stat = lstatOrNull(file);
  if (stat === null) return null;
  const path = toText(inner);
  if (stat.isDirectory()) return { path, kind: isOpaque(file) ? "opaque" : "directory", size: 0 };
  if (stat.isCharacterDevice() && stat.rdev === 0n) return { path, kind: "gone", size: 0 };
  return { path, kind: "file", size: stat.isFile() ? Number(stat.size) : 0 };
}

function isOpaque(dir: string): boolean {
  const path = Buffer.from(dir, "latin1");
  return OPAQUE.some((name) => lgetxattr(path, Buffer.from(name))?.toString() === "y");
}
