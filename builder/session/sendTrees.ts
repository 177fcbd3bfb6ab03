import { setImmediate as turn } from "node:timers/promises";
import type { BulkPool } from "../../cache/bulk/pool.js";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import { packet, sendFiles } from "../api/sessionFiles.js";
import { type ClientOutput, outputMetadata } from "./clientFile.js";
import type { RawCall } from "./rawCall.js";
import { requireMethod, type Session } from "./session.js";
import { listParts, type OutputEntry, type TreePart } from "./treeList.js";

/** What a client's directory is to get. */
export interface SendRequest extends ClientOutput {
  readonly parts: readonly TreePart[];
  /** True when this is all of the output, so that a client may remove what is not in it. */
  readonly whole: boolean;
  /** No file is later, in seconds; null: files keep their times. */
  readonly clampMtime?: number | null;
  /** Called now and then with the bytes that were sent so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** A part of a file that is to be sent. */
interface Piece {
  readonly id: number;
  readonly entry: OutputEntry;
  readonly offset: number;
  readonly length: number;
}

/** Files that the client wants, in its order. */
interface Wanted {
  readonly ids: number[];
  closed: boolean;
  wake(): void;
}

const MAX_STATS = 500;
const MAX_PIECES = 500;
const BATCH_BYTES = 4 << 20;
const DATA_BYTES = 128 * 1024;

/**
 * Gives a client a directory: it is told what there is, and asks for the files that it does not have.
 * Source: fsutil, send.go. @throws {TbuildError} unsupported, unavailable, corrupt when the client lies, cancelled
 */
export async function sendTrees(session: Session, request: SendRequest, pool: Pick<BulkPool, "run">, opts: Opts): Promise<void> {
  requireMethod(session, sendFiles.path, "send a directory");
  const entries = await listParts(pool, request.parts, { ...opts, clampMtime: request.clampMtime ?? null });
  const metadata = { ...outputMetadata(request), ...(request.whole ? { "buildkit-exporter-multi-platform": "1" } : {}) };
  await sendEntries(session.call(sendFiles.path, { ...opts, metadata }), entries, pool, { ...opts, ...request });
}

/**
 * Tells what there is, and sends what is asked for of it; ends the call. Each file is given once, and nothing that is not in
 * `entries`. @throws {TbuildError} unavailable, corrupt when the other end lies, cancelled
 */
export async function sendEntries(
  call: RawCall,
  entries: readonly OutputEntry[],
  pool: Pick<BulkPool, "run">,
  opts: Opts & Pick<SendRequest, "onProgress">,
): Promise<void> {
  const wanted: Wanted = { ids: [], closed: false, wake: () => {} };
  const both = [receive(call, entries, wanted), send(call, entries, wanted, pool, opts)];
  try {
    await Promise.all(both);
  } catch (error) {
    void call.send([packet.encode({ type: "error", data: Buffer.from((error as Error).message) })]).catch(() => {});
    await turn(); // before the call is broken off
    throw error;
  } finally {
    call.cancel();
    wanted.closed = true;
    wanted.wake();
    await Promise.allSettled(both);
  }
}

async function receive(call: RawCall, entries: readonly OutputEntry[], wanted: Wanted): Promise<void> {
  const asked = new Set<number>();
  for await (const messages of call.received) {
    for (const message of messages) {
      const { type, id, data } = packet.decode(message);
      if (type === "error") throw new TbuildError("unavailable", `The other end cannot write files: ${Buffer.from(data).toString("utf8")}`);
      if (type === "finish") {
        wanted.closed = true;
        await call.send([packet.encode({ type: "finish" })]);
        call.finish();
      } else if (type !== "request" || entries[id]?.content == null || asked.has(id)) {
        throw new TbuildError("corrupt", `Cannot send files: the other end asks for file ${id}, which is none or was sent`);
      } else {
        asked.add(id);
        wanted.ids.push(id);
      }
    }
    wanted.wake();
  }
  if (!wanted.closed) throw new TbuildError("corrupt", "Cannot send files: the other end ended before it had taken all of them");
}

async function send(
  call: RawCall,
  entries: readonly OutputEntry[],
  wanted: Wanted,
  pool: Pick<BulkPool, "run">,
  { onProgress, signal }: Opts & Pick<SendRequest, "onProgress">,
): Promise<void> {
  for (let at = 0; at < entries.length; at += MAX_STATS) {
    await call.send(entries.slice(at, at + MAX_STATS).map(({ stat }) => packet.encode({ type: "stat", stat })));
  }
  await call.send([packet.encode({ type: "stat" })]);
  let sent = 0;
  for await (const pieces of batches(entries, wanted)) {
    for (const root of new Set(pieces.map(({ entry }) => entry.content!.root))) {
      const own = pieces.filter(({ entry }) => entry.content!.root === root);
      const places = own.map(({ entry, offset, length }) => ({ path: entry.content!.path, offset, length }));
      const { content, lengths } = await pool.run("readPieces", { root, pieces: places }, { signal });
      let at = 0;
      for (const [index, piece] of own.entries()) await call.send(packetsOf(piece, content.subarray(at, (at += lengths[index]!))));
      sent += content.length;
    }
    onProgress?.(sent);
  }
}

/** What is wanted, some files or a part of one at a time, until the client wants no more. */
async function* batches(entries: readonly OutputEntry[], wanted: Wanted): AsyncGenerator<readonly Piece[]> {
  for (;;) {
    while (wanted.ids.length === 0 && !wanted.closed) await new Promise<void>((done) => (wanted.wake = done));
    if (wanted.closed) return;
    let batch: Piece[] = [];
    let room = BATCH_BYTES;
    for (const id of wanted.ids.splice(0, MAX_PIECES)) {
      const entry = entries[id]!;
      for (let offset = 0; offset === 0 || offset < entry.content!.size; ) {
        const length = Math.min(room, entry.content!.size - offset);
        batch.push({ id, entry, offset, length });
        offset += length;
        room -= length;
        if (room === 0) {
          yield batch;
          batch = [];
          room = BATCH_BYTES;
        }
        if (length === 0) break;
      }
    }
    if (batch.length > 0) yield batch;
  }
}

function packetsOf({ id, entry, offset, length }: Piece, bytes: Uint8Array): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += DATA_BYTES) {
    packets.push(packet.encode({ type: "data", id, data: bytes.subarray(at, at + DATA_BYTES) }));
  }
  if (offset + length >= entry.content!.size) packets.push(packet.encode({ type: "data", id }));
  return packets;
}
