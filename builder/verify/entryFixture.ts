import type { LayerEntry } from "../../cache/diff/layerEntry.js";

/** An entry of a layer for tests, with the attributes of `more`. */
export function entry(type: LayerEntry["type"], name: string, more: Partial<LayerEntry> = {}): LayerEntry {
  return {
    type, name, linkName: "", mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, size: 0, devMajor: 0, devMinor: 0, xattrs: {}, digest: null, offset: null, ...more,
  };
}
