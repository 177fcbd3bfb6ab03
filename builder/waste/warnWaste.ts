import { formatBytes } from "../../cache/formatBytes.js";
import type { SourceRange } from "../../cache/errors.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import type { Vertex } from "../../solver/graph.js";
import type { Warning } from "../../solver/progress.js";
import { findWaste, type Waste } from "./findWaste.js";

/** Less than this is not worth a word: what was copied, and what a command left. */
const LEAST_COPIED = 1_000_000;
const LEAST_LEFT = 10_000_000;
const SHOWN = 5;

/**
 * Says which files of the new layers no later step and no container can see, although they are in the image. `steps` are the
 * vertices that made layers, lowest first; layers below theirs are the base's, and not looked at.
 */
export async function wasteWarnings(store: Store, top: string | null, steps: readonly Vertex[], signal: AbortSignal): Promise<readonly Warning[]> {
  const chain = (await snapshotChain(store.snapshots, top)).slice(-steps.length);
  if (steps.length < 2 || chain.length < steps.length) return [];
  const layers = await Promise.all(chain.map((snapshot) => changesOf(store, snapshot, signal)));
  return findWaste(layers).flatMap((waste) => warningOf(waste, steps) ?? []);
}

async function changesOf(store: Store, snapshot: string, signal: AbortSignal) {
  const changes = await store.snapshots.changes(snapshot);
  return changes.kind === "upper" ? await store.bulk.run("changedPaths", { path: changes.path }, { signal }) : [];
}

function warningOf(waste: Waste, steps: readonly Vertex[]): Warning | null {
  const { bytes, files } = waste;
  const writer = steps[waste.writer];
  const hider = steps[waste.hider];
  const least = writer?.op.body.kind === "exec" ? LEAST_LEFT : LEAST_COPIED;
  if (writer === undefined || hider === undefined || bytes < least) return null;
  const listed = files.slice(0, SHOWN).map(({ path, size }) => `"/${path}" (${formatBytes(size)})`);
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
  return {
    rule: "WastedFiles",
    message: `${formatBytes(bytes)} of files from here are deleted or replaced ${placeOf(hider.at[0])}, but stay in the image: ${listed.join(", ")}${more}`,
    detail: "Delete files in the instruction that makes them, or make them in an earlier stage and copy what is needed",
    url: null,
    at: writer.at[0] ?? null,
  };
}

function placeOf(at: SourceRange | undefined): string {
  return at === undefined ? "later" : `by line ${at.start.line}`;
}
