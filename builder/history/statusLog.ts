import { randomUUID } from "node:crypto";
import type { ContentStore, Ingest, Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { StepCounts } from "../../cache/meta/records.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import { type StatusInput, statusResponse } from "../api/control.js";
import type { EventLog } from "../daemon/eventLog.js";
import { statusWriter } from "./status.js";

/** Media type of a build's progress. Source: BuildKit, solver/llbsolver/history/buildhistory.go. */
const STATUS_TYPE = "application/vnd.buildkit.status.v0";

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
        await ingest.write(Buffer.concat(messages.flatMap(frame)));
      });
    },
    commit: async () => await attempt(async () => (ingest === null ? null : { ...(await ingest.commit()), mediaType: STATUS_TYPE })),
    [Symbol.asyncDispose]: async () => await ingest?.[Symbol.asyncDispose](),
  };
}

function frame(message: StatusInput): readonly Uint8Array[] {
  const bytes = statusResponse.encode(message);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}

function stepCounter(): { add(message: StatusInput): void; counts(): StepCounts } {
  const seen = new Set<string>();
  const completed = new Set<string>();
  const cached = new Set<string>();
  let warnings = 0;
  return {
    add({ vertexes = [], warnings: told = [] }) {
      warnings += told.length;
      for (const { digest = "", completed: at, cached: hit } of vertexes) {
        seen.add(digest);
        if (at !== null && at !== undefined) completed.add(digest);
        if (hit === true) cached.add(digest);
      }
    },
    counts: () => ({ total: seen.size, completed: completed.size, cached: cached.size, warnings }),
  };
}

/** What {@link saveStatus} has written, message by message. @throws {TbuildError} not_found, corrupt */
export async function* readStatus(content: ContentStore, { digest }: Descriptor, opts: Opts): AsyncGenerator<StatusInput> {
  let rest = Buffer.alloc(0);
  for await (const chunk of content.read(digest, opts)) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const end = 4 + rest.readUInt32LE(0);
      if (rest.length < end) break;
      yield statusResponse.decode(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw new TbuildError("corrupt", `Cannot read the log of a build: blob "${digest}" ends within a message`);
}
