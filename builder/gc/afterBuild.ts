import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import type { GcConfig } from "../config.js";
import { asksForGc } from "./asks.js";
import { collectGarbage } from "./collect.js";
import { gcPolicies } from "./rules.js";

/** Between two collections after builds. Source: BuildKit, control/control.go */
const EVERY_MS = 60_000;

/**
 * Collects after a build when the configuration asks for it, and nobody has lately: many builds may end at once. What this process has
 * used counts as free.
 */
export async function collectAfterBuild(store: Store, config: GcConfig, opts: Opts = {}): Promise<void> {
  if (!asksForGc(config) || !isDue(path.join(store.root, "collected"))) return;
  store.unpin();
  await collectGarbage(store, gcPolicies(config, store.root), opts);
}

/** The file's time is that of the last collection. */
function isDue(file: string): boolean {
  const last = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const now = Date.now();
  if (now - last < EVERY_MS) return false;
  closeSync(openSync(file, "a", 0o600));
  utimesSync(file, now / 1000, now / 1000);
  return true;
}
