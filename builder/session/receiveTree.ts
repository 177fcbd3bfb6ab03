import { setImmediate as turn } from "node:timers/promises";
import type { BulkPool } from "../../cache/bulk/pool.js";
import type { ListedFile, TreeWrite } from "../../cache/bulk/treeEntries.js";
import { TbuildError } from "../../cache/errors.js";
import { toText } from "../../cache/tree/names.js";
import { type NewPacket, type Packet, packet } from "../api/sessionFiles.js";
import { type Differ, type IncomingFile, type IncomingTree, incomingTree } from "./incomingTree.js";
import type { RawCall } from "./rawCall.js";
import { type TreeWriter, treeWriter } from "./treeWriter.js";

/** Where files go, and what is known of them. */
export interface ReceiveOptions {
  readonly pool: Pick<BulkPool, "run">;
  /** Absolute; nobody else writes below it. */
  readonly path: string;
  readonly differ: Differ;
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Who gets all files, where it is not for the sender to say. */
  readonly owner?: { readonly uid: number; readonly gid: number } | null;
}

/** A file that was asked for. */
interface OpenFile extends IncomingFile {
  /** Bytes that came. */
  received: number;
}

/** A transfer as it goes on. */
interface Transfer {
  readonly tree: IncomingTree;
  readonly writer: TreeWriter;
  readonly owner: ReceiveOptions["owner"];
  /** By number of the entry. */
  readonly files: Map<number, OpenFile>;
  entries: number;
  /** Of files. */
  bytes: number;
  /** Of messages. */
  told: number;
  phase: "listing" | "fetching" | "finishing" | "finished";
}

const PROGRESS_MS = 100;

/**
 * Receives a directory over `call`, given what is there already, and returns the bytes that came. All that is wanted is
 * asked for as soon as it is known; nothing is written but through `writeTree`. Source: fsutil, receive.go.
 * @throws {TbuildError} see syncDirectory
 */
export async function receiveTree(call: RawCall, old: readonly ListedFile[], options: ReceiveOptions): Promise<number> {
  const transfer: Transfer = {
    tree: incomingTree(old, options.differ),
    writer: treeWriter(options.pool, options.path, options.signal),
    owner: options.owner,
    files: new Map(),
    entries: 0,
    bytes: 0,
    told: 0,
    phase: "listing",
  };
  // Nothing is written any more when the directory is given to somebody else.
  await using _ = transfer.writer;
  let toldAt = 0;
  for await (const messages of call.received) {
    await takeAll(transfer, call, messages).catch(async (error: unknown) => {
      send(call, [{ type: "error", data: Buffer.from((error as Error).message) }]);
      await turn(); // before the call is broken off
      throw error;
    });
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    options.onProgress?.(transfer.told);
    toldAt = performance.now();
  }
  if (transfer.phase !== "finished") throw broken("it ended before all files were there");
  options.onProgress?.(transfer.told);
  return transfer.bytes;
}

async function takeAll(transfer: Transfer, call: RawCall, messages: readonly Uint8Array[]): Promise<void> {
  for (const { length } of messages) transfer.told += length;
  const wanted = messages.flatMap((message) => take(transfer, packet.decode(message)) ?? []);
  if (wanted.length > 0) send(call, wanted.map((id) => ({ type: "request", id })));
  await transfer.writer.room();
  if (transfer.phase === "fetching" && transfer.files.size === 0) {
    await finish(transfer);
    send(call, [{ type: "finish" }]);
  }
  if (transfer.phase === "finished") call.finish();
}

/** Waiting until the client has read what we ask for could make both wait: it may read only while we do. */
function send(call: RawCall, packets: readonly NewPacket[]): void {
  void call.send(packets.map((one) => packet.encode(one))).catch(() => {});
}

/** Takes one packet; gives the number of an entry that is to be fetched. */
function take(transfer: Transfer, { type, stat, id, data }: Packet): number | null {
  switch (type) {
    case "stat": return stat === null ? endList(transfer) : takeStat(transfer, stat);
    case "data": return takeData(transfer, id, data);
    case "error": throw new TbuildError("unavailable", `Cannot receive files of the client: ${Buffer.from(data).toString("utf8")}`);
    case "finish":
      if (transfer.phase !== "finishing") throw broken("it ended before all files were there");
      transfer.phase = "finished";
      return null;
    case "request": throw broken("it asks for a file");
  }
}

function takeStat(transfer: Transfer, stat: NonNullable<Packet["stat"]>): number | null {
  if (transfer.phase !== "listing") throw broken("a file comes after the end of the list");
  const id = transfer.entries++;
  const file = transfer.tree.add({ ...stat, ...transfer.owner });
  pass(transfer, transfer.tree.takeWrites());
  if (file !== null) transfer.files.set(id, { ...file, received: 0 });
  return file === null ? null : id;
}

function endList(transfer: Transfer): null {
  if (transfer.phase !== "listing") throw broken("the list of files ends twice");
  transfer.tree.end();
  pass(transfer, transfer.tree.takeWrites());
  transfer.phase = "fetching";
  return null;
}

function takeData(transfer: Transfer, id: number, data: Uint8Array): null {
  const file = transfer.files.get(id);
  if (file === undefined) throw broken(`data of file ${id} come unasked`);
  const { path, size, as, received } = file;
  const isEnd = data.length === 0;
  file.received += data.length;
  transfer.bytes += data.length;
  if (isEnd && received !== size) throw changed(path, received, size);
  if (isEnd) transfer.files.delete(id);
  transfer.writer.add({ kind: "file", path, isNew: received === 0, bytes: data.length, as: isEnd ? as : null }, data);
  return null;
}

async function finish(transfer: Transfer): Promise<void> {
  transfer.phase = "finishing";
  pass(transfer, transfer.tree.finish());
  await transfer.writer.drained();
}

function pass({ writer }: Transfer, writes: readonly TreeWrite[]): void {
  for (const write of writes) writer.add(write);
}

function broken(why: string): TbuildError {
  return new TbuildError("corrupt", `Cannot receive files of the client: ${why}`);
}

/** A file that the client cannot open has no bytes at all. */
function changed(path: string, received: number, size: number): TbuildError {
  const why = received === 0 ? `it cannot be read, or was emptied` : `it changed while it was sent (${received} bytes of ${size})`;
  return new TbuildError("unavailable", `Cannot receive "${toText(path)}" of the client: ${why}`, {
    hint: "Build again when nothing writes to it, or add it to the ignore file",
  });
}
