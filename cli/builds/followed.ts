import type { BuildHistory } from "../../builder/history/buildHistory.js";
import { statusReader } from "../../builder/remote/statusEvents.js";
import type { Opts } from "../../cache/content/store.js";
import type { Progress } from "../../solver/progress.js";

/** What a build told and tells, as this process's own builds do. Ends with the build, and without a word when the signal aborts. */
export async function* followed(history: BuildHistory, ref: string, opts: Opts): AsyncGenerator<Progress> {
  const reader = statusReader((name) => name);
  try {
    for await (const message of history.status(ref, opts)) yield* reader.read(message);
  } catch (error) {
    if (opts.signal?.aborted !== true) throw error;
  }
}
