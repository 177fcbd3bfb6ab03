import { writeFileSync } from "node:fs";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import { findBuild } from "./buildHistory.js";
import { localHistory } from "./localHistory.js";
import { statusOf } from "./recordFilter.js";
import { runningFiles } from "./runningBuilds.js";

/**
 * Asks a build of any process on the store to end, waits until it has, and returns its ref. `ref` as in {@link findBuild}.
 * @throws {TbuildError} not_found, invalid_argument when it has ended by itself
 */
export async function cancelBuild(store: Store, ref: string, opts: Opts): Promise<string> {
  const history = localHistory(store);
  const build = await findBuild(history, ref, opts);
  if (build.completedAt === null) askToEnd(store, build.ref);
  const status = statusOf(await history.ended(build.ref, opts));
  if (build.completedAt === null && status === "canceled") return build.ref;
  throw new TbuildError("invalid_argument", `Cannot cancel the build "${build.ref}": it has ended, as "${status}"`);
}

function askToEnd(store: Store, ref: string): void {
  try {
    writeFileSync(runningFiles(store.root, ref).cancel, "", { mode: 0o600 });
  } catch {
    // It has just ended.
  }
}
