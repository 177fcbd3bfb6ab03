import type { ChangedPath } from "../../cache/bulk/layerJobs.js";

/** Files of one layer that a later one takes away or replaces: they are in the image, and nobody can see them. */
export interface Waste {
  /** Index of the layer that wrote them. */
  readonly writer: number;
  /** Index of the first layer above that hides them. */
  readonly hider: number;
  readonly bytes: number;
  /** Largest first. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Finds hidden files. `layers` are what each layer changes, lowest first. Pure. */
export function findWaste(layers: readonly (readonly ChangedPath[])[]): readonly Waste[] {
  const hidden = new Map<string, { writer: number; hider: number; files: { path: string; size: number }[] }>();
  // From the top down, so that what hides a file is known when the file is met; the lowest hider above it wins.
  const closed = new Map<string, number>();
  for (let writer = layers.length - 1; writer >= 0; writer--) {
    for (const { path, kind, size } of layers[writer]!) {
      const hider = kind === "file" && size > 0 ? hiderOf(path, closed) : null;
      if (hider === null) continue;
      const key = `${writer} ${hider}`;
      const group = hidden.get(key) ?? { writer, hider, files: [] };
      group.files.push({ path, size });
      hidden.set(key, group);
    }
    // What is no directory, and an opaque one, ends what was at that path and below it.
    for (const { path, kind } of layers[writer]!) if (kind !== "directory") closed.set(path, writer);
  }
  return [...hidden.values()].map(({ writer, hider, files }) => {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return { writer, hider, bytes, files: files.sort((a, b) => b.size - a.size) };
  });
}

function hiderOf(path: string, closed: ReadonlyMap<string, number>): number | null {
  let hider: number | null = null;
  for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
    const above = closed.get(path.slice(0, at));
    if (above !== undefined && (hider === null || above < hider)) hider = above;
  }
  return hider;
}
