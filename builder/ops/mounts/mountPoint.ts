import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Store } from "../../../cache/store.js";
import { newName } from "../snapshotStep.js";

/** An empty directory in this process's scratch, where what is mounted has a path that other processes can use too. */
export function mountPoint(store: Store): string {
  const at = path.join(store.scratch, "binds", newName());
  mkdirSync(at, { recursive: true });
  return at;
}
