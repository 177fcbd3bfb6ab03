import fs from "node:fs";
import { fsPath, joinPath } from "./rootPath.js";
import type { KnownFile } from "./unchanged.js";
import { isOpaque } from "./xattrs.js";

/**
 * The directory that shows at `entry` through these overlayfs layers, topmost first; null when nothing or no directory
 * shows there. Of merged directories it is the topmost, which gives its metadata. Paths are latin1.
 */
export function findLower(layers: readonly string[], entry: string): KnownFile | null {
  for (const layer of layers) {
    const found = findInLayer(layer, entry.split("/"));
    if (found === "hidden") return null;
    if (found !== null) return found;
  }
  return null;
}

/** "hidden": this layer has something else there, so that the layers below it do not show. */
function findInLayer(layer: string, parts: readonly string[]): (KnownFile & { readonly opaque: boolean }) | "hidden" | null {
  let path = layer;
  let opaque = false;
  for (const [at, part] of parts.entries()) {
    path = joinPath(path, part);
    const stat = fs.lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return opaque ? "hidden" : null;
    if (!stat.isDirectory()) return "hidden";
    if (at === parts.length - 1) return { path, stat, opaque };
    opaque ||= isOpaque(path);
  }
  return null;
}

/** Names that show in the directory `entry` through these layers; none when no directory shows there. As {@link findLower}. */
export function listLower(layers: readonly string[], entry: string): ReadonlySet<string> {
  const shown = new Set<string>();
  const gone = new Set<string>();
  for (const layer of layers) {
    const found = findInLayer(layer, entry.split("/"));
    if (found === "hidden") return shown;
    if (found === null) continue;
    for (const name of fs.readdirSync(fsPath(found.path), "latin1")) {
      if (isWhiteout(fs.lstatSync(fsPath(joinPath(found.path, name)), { bigint: true }))) gone.add(name);
      else if (!gone.has(name)) shown.add(name);
    }
    if (found.opaque || isOpaque(found.path)) return shown;
  }
  return shown;
}

/** A deleted name in an overlayfs layer. */
export function isWhiteout(stat: fs.BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}
