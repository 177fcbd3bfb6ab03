import { randomUUID } from "node:crypto";
import type { ContentStore, Ingest, Opts } from "../../cache/content/store.js";
import type { StepCounts } from "../../cache/meta/records.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import type { StatusInput, StatusMessage } from "../api/status.js";
import type { EventLog } from "../daemon/eventLog.js";
import { statusWriter } from "./status.js";
import { readFrames, statusFrame } from "./statusFrames.js";
import { stepCounter } from "./stepCounter.js";

/** Media type of a build's progress. Source: BuildKit, solver/llbsolver/history/buildhistory.go. */
export const STATUS_TYPE = "application/vnd.buildkit.status.v0";

/** What a build has told, at rest. `logs` is null when it told nothing, or there was no room for it. */
export interface StatusLog {
  readonly logs: Descriptor | null;
  readonly steps: StepCounts;
}

/** Writes all that a build tells into a blob, and answers when its log has ended. */
export async function saveStatus(content: ContentStore, log: EventLog, sources: (file: string) => SourceInfo | undefined): Promise<StatusLog> {
  const writer = statusWriter(sources);
  const counter = stepCounter();
  await using blob = statusBlob(content);
  const save = async (messages: readonly StatusInput[]) => {
    messages.forEach(counter.add);
    await blob.write(messages);
  };
  for await (const events of log.read(new AbortController().signal)) await save(writer.write(events));
  await save(writer.close(Date.now()));
  return { logs: await blob.commit(), steps: counter.counts() };
}

interface StatusBlob extends AsyncDisposable {
  write(messages: readonly StatusInput[]): Promise<void>;
  commit(): Promise<Descriptor | null>;
}

/** Begins with the first message. A disk that is full costs the log, not the build. */
function statusBlob(content: ContentStore): StatusBlob {
  let ingest: Ingest | null = null;
  let state: "writing" | "broken" = "writing";
  async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
    if (state === "broken") return null;
    try {
      return await work();
    } catch {
      state = "broken";
      return null;
    }
  }
  return {
    async write(messages) {
      if (messages.length === 0) return;
      await attempt(async () => {
        ingest ??= await content.ingest(`history ${randomUUID()}`);
        await ingest.write(Buffer.concat(messages.map(statusFrame)));
      });
    },
    commit: async () => await attempt(async () => (ingest === null ? null : { ...(await ingest.commit()), mediaType: STATUS_TYPE })),
    [Symbol.asyncDispose]: async () => await ingest?.[Symbol.asyncDispose](),
  };
}

/** What {@link saveStatus} has written, message by message. @throws {TbuildError} not_found, corrupt */
export function readStatus(content: ContentStore, { digest }: Descriptor, opts: Opts): AsyncGenerator<StatusMessage> {
  return readFrames(content.read(digest, opts), `blob "${digest}"`);
}
