import { setMaxListeners } from "node:events";
import { cancelled, fromSystemError } from "../../cache/errors.js";
import type { Progress } from "../../solver/progress.js";
import type { Report } from "../internalStep.js";
import type { BuildResult } from "../request.js";
import type { BuildKeeper } from "./buildKeeper.js";
import type { RecordedBuild, RecordedEnd } from "./recordedBuild.js";

/** Milliseconds that events wait before others can read them. */
const DELAY = 200;

/**
 * Runs a build whose record is written before this answers. A history that cannot be written gives a warning, and fails no build.
 * What it takes is loaded when it is used: of a build that is soon over, at its end. @throws what the build has thrown
 */
export async function recorded<T extends Pick<BuildResult, "metadata">>(
  build: RecordedBuild,
  audience: Report,
  signal: AbortSignal,
  work: (report: Report, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const both = AbortSignal.any([signal, abort.signal]);
  // Every step under way listens.
  setMaxListeners(0, both);
  const recorder = startRecorder(build, audience, () => abort.abort());
  try {
    if (build.visible === "at once") await recorder.show();
    const result = await work(recorder.report, both);
    await recorder.end({ kind: "done", exporterResponse: result.metadata });
    return result;
  } catch (error) {
    const told = both.aborted ? cancelled(both) : fromSystemError(error);
    await recorder.end({ kind: "failed", error: told });
    throw told;
  }
}

interface Recorder {
  readonly report: Report;
  show(): Promise<void>;
  end(end: RecordedEnd): Promise<void>;
}

function startRecorder(build: RecordedBuild, audience: Report, onCancel: () => void): Recorder {
  const createdAt = Date.now();
  const waiting: Progress[] = [];
  let timer: NodeJS.Timeout | null = null;
  let opened: Promise<BuildKeeper> | null = null;
  const open = () => (opened ??= import("./buildKeeper.js").then(({ buildKeeper }) => buildKeeper(build, createdAt)));

  async function attempt(task: (keeper: BuildKeeper) => Promise<void> | void): Promise<void> {
    try {
      await task(await open());
    } catch (error) {
      const message = `Cannot keep this build in the history: ${error instanceof Error ? error.message : String(error)}`;
      audience({ type: "warning", vertex: null, warning: { rule: null, message, detail: "", url: null, at: null } });
    }
  }
  const flush = () =>
    attempt((keeper) => {
      keeper.live.write(waiting.splice(0));
      keeper.live.show(onCancel);
      timer = null;
    });
  return {
    report(event) {
      waiting.push(event);
      timer ??= setTimeout(() => void flush(), DELAY).unref();
      audience(event);
    },
    show: flush,
    async end(end) {
      if (timer !== null) clearTimeout(timer);
      await attempt(async (keeper) => {
        keeper.live.write(waiting.splice(0));
        await keeper.end(end);
      });
    },
  };
}
