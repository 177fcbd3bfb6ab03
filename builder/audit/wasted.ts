import type { SourceRange } from "../../cache/errors.js";
import { formatBytes } from "../../cache/formatBytes.js";
import type { Store } from "../../cache/store.js";
import { violation, type WarningSink } from "../../frontend/dockerfile/lint.js";
import { findWaste, type Waste } from "./findWaste.js";
import type { NewLayer } from "./newLayers.js";

/** Less than this is not worth a word: what was copied, and what a command left. */
const LEAST_COPIED = 1_000_000;
const LEAST_LEFT = 10_000_000;
const SHOWN = 5;

/** Warns of files in `layers`, lowest first, that no later step and no container can see. */
export async function warnOfWaste(store: Store, layers: readonly NewLayer[], signal: AbortSignal, warn: WarningSink): Promise<void> {
  if (layers.length < 2) return;
  const changes = await Promise.all(layers.map(async ({ upper }) => (upper === null ? [] : await store.bulk.run("changedPaths", { path: upper }, { signal }))));
  for (const waste of findWaste(changes)) {
    const writer = layers[waste.writer]!;
    if (waste.bytes < leastOf(writer)) continue;
    warn(violation("WastedFiles", writer.at, formatBytes(waste.bytes), placeOf(layers[waste.hider]!.at), listOf(waste)));
  }
}

function leastOf({ step }: NewLayer): number {
  return step.op.body.kind === "exec" ? LEAST_LEFT : LEAST_COPIED;
}

function placeOf(at: SourceRange | null): string {
  return at === null ? "later" : `by line ${at.start.line}`;
}

function listOf({ files }: Waste): string {
  const listed = files.slice(0, SHOWN).map(({ path, size }) => `"/${path}" (${formatBytes(size)})`);
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
  return `${listed.join(", ")}${more}`;
}
