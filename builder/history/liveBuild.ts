import { createHash } from "node:crypto";
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { parseDigest } from "../../cache/oci/digest.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import type { Progress } from "../../solver/progress.js";
import type { StatusInput } from "../api/status.js";
import type { BuildStart } from "./recordMessage.js";
import { hideRunning, type RunningFiles, showRunning } from "./runningBuilds.js";
import { statusWriter } from "./status.js";
import { statusFrame } from "./statusFrames.js";
import { STATUS_TYPE, type StatusLog } from "./statusLog.js";
import { stepCounter } from "./stepCounter.js";

/** What a build of this process tells, for its record and for other processes. */
export interface LiveBuild {
  write(events: readonly Progress[]): void;
  /** Lets other processes list, follow and end the build; `onCancel` hears that one wants its end. May be called twice. */
  show(onCancel: () => void): void;
  /** Puts all that was told into a blob. */
  save(): Promise<StatusLog>;
  /** Other processes do not see the build any more. */
  hide(): void;
}

/** In parts of which each ends with the end of a step: a message tells of ends last, and what comes after one must come later. */
function steps(events: readonly Progress[]): readonly (readonly Progress[])[] {
  const ends = events.flatMap(({ type }, index) => (type === "completed" ? [index + 1] : []));
  return [0, ...ends].map((start, part) => events.slice(start, ends[part])).filter((part) => part.length > 0);
}

/** How often somebody looks for a wish to cancel. */
const LOOK_MS = 250;

/** Nothing told yet. What cannot be written, as on a full disk, costs the log, not the build. */
export function liveBuild(store: Store, start: BuildStart, sources: (file: string) => SourceInfo | undefined): LiveBuild {
  const writer = statusWriter(sources);
  const counter = stepCounter();
  const hash = createHash("sha256");
  let waiting: Uint8Array[] = [];
  let files: RunningFiles | null = null;
  let looking: NodeJS.Timeout | null = null;
  let state: "writing" | "broken" = "writing";

  function append(messages: readonly StatusInput[]): void {
    messages.forEach(counter.add);
    waiting.push(...messages.map(statusFrame));
    flush();
  }
  function flush(): void {
    if (files === null || waiting.length === 0 || state === "broken") return;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    try {
      appendFileSync(files.status, bytes, { mode: 0o600 });
      hash.update(bytes);
    } catch {
      state = "broken";
    }
  }
  function waitingFile(): string | null {
    if (waiting.length === 0) return null;
    const file = store.content.scratchPath();
    const bytes = Buffer.concat(waiting);
    writeFileSync(file, bytes, { mode: 0o600 });
    hash.update(bytes);
    return file;
  }
  async function blob(): Promise<Descriptor | null> {
    const file = files !== null && existsSync(files.status) ? files.status : waitingFile();
    if (file === null) return null;
    // No log is worth the milliseconds of a sync: a build that is cached is over in a few.
    const { digest, size } = await store.content.adopt(file, parseDigest(`sha256:${hash.digest("hex")}`), "expendable");
    return { mediaType: STATUS_TYPE, digest, size };
  }
  return {
    write: (events) => append(steps(events).flatMap(writer.write)),
    show(onCancel) {
      if (files !== null) return;
      const shown = (files = showRunning(store.root, start, store.lease));
      looking = setInterval(() => existsSync(shown.cancel) && onCancel(), LOOK_MS).unref();
      flush();
    },
    async save() {
      append(writer.close(Date.now()));
      const logs = state === "broken" ? null : await blob().catch(() => null);
      return { logs, steps: counter.counts() };
    },
    hide() {
      if (looking !== null) clearInterval(looking);
      if (files !== null) hideRunning(files);
    },
  };
}
