import { Writable } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import { sendFile } from "../api/session.js";
import { pieces } from "./calls.js";
import { requireMethod, type Session } from "./session.js";

/** Which of the client's outputs is meant. */
export interface ClientOutput {
  /** Index in the list of exporters that the client asked for. */
  readonly exporterId: number;
  /** What the client is told before the first byte; keys of an exporter's response, in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Headers that name an output. Source: BuildKit, session/filesync/filesync.go. */
export function outputMetadata({ exporterId, metadata = {} }: ClientOutput): Readonly<Record<string, string>> {
  const own = Object.entries(metadata).map(([key, value]) => [`exporter-md-${key}`, value]);
  return { ...Object.fromEntries(own), "buildkit-attachable-exporter-id": String(exporterId) };
}

/**
 * A file of the client's: what is written goes there in order. It finishes once the client has taken all of it; a client that
 * has such a file already takes nothing, which is a success. Errors of the stream are those of the call.
 */
export function openClientFile(session: Session, output: ClientOutput, opts: Opts): Writable {
  requireMethod(session, sendFile.path, "send a file");
  const call = session.call(sendFile.path, { ...opts, metadata: outputMetadata(output) });
  let exists = false;
  const settle = (work: Promise<void>, done: (error?: Error | null) => void): void => {
    work.then(
      () => done(),
      (error: unknown) => {
        exists ||= hasCode(error, "already_exists");
        done(exists ? null : (error as Error));
      },
    );
  };
  const write = async (chunk: Uint8Array): Promise<void> => {
    for (const data of pieces(chunk)) if (!exists) await call.send([sendFile.request.encode({ data })]);
  };
  const close = async (): Promise<void> => {
    call.finish();
    for await (const _ of call.received);
  };
  return new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => settle(write(chunk), done),
    final: (done) => settle(exists ? Promise.resolve() : close(), done),
    destroy(error, done) {
      call.cancel();
      done(error);
    },
  });
}
