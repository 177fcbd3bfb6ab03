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
function findInLayer(layer: string, parts: readonly string[]): KnownFile | "hidden" | null {
  let path = layer;
  let opaque = false;
  for (const [at, part] of parts.entries()) {
    path = joinPath(path, part);
    const stat = fs.lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return opaque ? "hidden" : null;
    if (!stat.isDirectory()) return "hidden";
    if (at === parts.length - 1) return { path, stat };
    opaque ||= isOpaque(path);
  }
  return null;
}
