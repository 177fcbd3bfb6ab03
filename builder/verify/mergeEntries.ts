import { TOC_NAME } from "../../cache/diff/estargz/toc.js";
import type { LayerEntry } from "../../cache/diff/layerEntry.js";

/** An entry as it is compared. */
export interface PlacedEntry extends Omit<LayerEntry, "type"> {
  readonly type: LayerEntry["type"] | "whiteout" | "opaque";
  /** The tar that it is in, by its place in the list. */
  readonly tar: number;
  /** A whiteout of what a layer below had made: whether there was anything before that is not known. */
  readonly undone: boolean;
  /** Names that are one file with this one, itself included, in byte order; empty when it stands alone. */
  readonly links: readonly string[];
}

/** What layers do together, by path without a leading "/" (latin1). The root is "". */
export type LayerContent = ReadonlyMap<string, PlacedEntry>;

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Of an eStargz layer itself, and no file of the image. Source: stargz-snapshotter, docs/estargz.md */
const ofEstargz = new Set([TOC_NAME, ".no.prefetch.landmark", ".prefetch.landmark"]);

/**
 * Layers as one, base first: later entries replace earlier ones, and whiteouts take away what is below them; they stay, since
 * something further below may be meant. Whatever the order and spelling of names, equal content gives equal maps. Pure.
 */
export function mergeEntries(layers: readonly (readonly LayerEntry[])[]): LayerContent {
  const merged = new Map<string, PlacedEntry>();
  for (const [tar, entries] of layers.entries()) {
    const own = new Map([...layerContent(entries, tar)].sort(([, a], [, b]) => Number(isRemoval(b)) - Number(isRemoval(a))));
    for (const [name, entry] of own) {
      const before = merged.get(name);
      const undone = entry.type === "whiteout" && before !== undefined && (before.type !== "whiteout" || before.undone);
      if (entry.type === "opaque") hideBelow(merged, name.slice(0, -"/opaque".length));
      else if (entry.type !== "dir" && (entry.type === "whiteout" || before?.type === "dir")) hideBelow(merged, `${name}/`);
      merged.set(name, undone ? { ...entry, undone } : entry);
    }
  }
  return merged;
}

function isRemoval({ type }: PlacedEntry): boolean {
  return type === "whiteout" || type === "opaque";
}

function layerContent(entries: readonly LayerEntry[], tar: number): LayerContent {
  const own = new Map<string, PlacedEntry>();
  const targets = new Map<string, string>();
  for (const entry of entries) {
    const [name, type] = meaning(cleanName(entry.name), entry.type);
    if (ofEstargz.has(name)) continue;
    const target = entry.type === "link" ? cleanName(entry.linkName) : null;
    if (target === null || target === name) targets.delete(name);
    else targets.set(name, targets.get(target) ?? target);
    own.set(name, { ...entry, name, type, tar, undone: false, links: [] });
  }
  return joinLinks(own, targets);
}

function cleanName(name: string): string {
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/** A whiteout goes by the path that it removes, and an opaque directory by its own with a mark that no name can have. */
function meaning(name: string, type: LayerEntry["type"]): readonly [string, PlacedEntry["type"]] {
  const at = name.lastIndexOf("/") + 1;
  const [dir, base] = [name.slice(0, at), name.slice(at)];
  if (base === OPAQUE) return [`${dir}/opaque`, "opaque"];
  return base.startsWith(WHITEOUT) ? [dir + base.slice(WHITEOUT.length), "whiteout"] : [name, type];
}

/** Which name of a file has its bytes depends on who packs: each name gets what the file is. */
function joinLinks(own: ReadonlyMap<string, PlacedEntry>, targets: ReadonlyMap<string, string>): LayerContent {
  const groups = new Map<string, string[]>();
  for (const [name, target] of targets) groups.set(target, [...(groups.get(target) ?? [target]), name]);
  const joined = new Map(own);
  for (const [target, names] of groups) {
    const file = own.get(target);
    // A link to a file of another layer is compared as it stands.
    if (file === undefined) continue;
    const links = names.sort();
    for (const name of links) joined.set(name, { ...file, name, links });
  }
  return joined;
}

/** A layer's removals come before its other entries, so that only what layers below have made is gone. */
function hideBelow(merged: Map<string, PlacedEntry>, dir: string): void {
  for (const path of merged.keys()) if (path.startsWith(dir)) merged.delete(path);
}
