import { createReadStream } from "node:fs";
import { TbuildError } from "../../../cache/errors.js";
import { type Digest, parseDigest } from "../../../cache/oci/digest.js";
import { abortWrite, getBlobInfo, readBlob, writeBlob } from "../../api/sessionContent.js";
import { pieces } from "../../session/calls.js";
import type { ServedCall } from "./servedCall.js";
import { answers, type Offers } from "./serveSession.js";

/** Blobs that the builder may read. */
export interface BlobReader {
  /** Path of a blob's file and its size; null when there is none. */
  find(digest: Digest): { readonly path: string; readonly size: number } | null;
}

/** Takes blobs from the builder, each whole and checked before it is there. */
export interface BlobWriter {
  has(digest: Digest): Promise<boolean>;
  begin(digest: Digest): Promise<BlobWrite>;
}

/** A blob under way; disposing drops it unless it was committed. */
export interface BlobWrite extends AsyncDisposable {
  write(chunk: Uint8Array): Promise<void>;
  /** @throws {TbuildError} digest_mismatch */
  commit(expected: { readonly digest: Digest; readonly size: number }): Promise<void>;
}

/** The stores that a builder is offered, by the name that it calls them: "oci:ID" to read from, "export" to write to, "local:DIR" for both. */
export interface OfferedStores {
  readonly readers: ReadonlyMap<string, BlobReader>;
  readonly writers: ReadonlyMap<string, BlobWriter>;
}

/** The part of containerd's content service that builders use. */
export function contentOffers({ readers, writers }: OfferedStores): Offers {
  const reader = (call: ServedCall): BlobReader => named(readers, call);
  return {
    ...answers(getBlobInfo, ({ digest }, call) => ({ info: { digest, size: found(reader(call), digest).size } })),
    ...answers(abortWrite, () => ({})),
    async [readBlob.path](call) {
      for await (const messages of call.received) {
        for (const message of messages) return await read(call, reader(call), readBlob.request.decode(message));
      }
    },
    [writeBlob.path]: async (call) => await write(call, named(writers, call)),
  };
}

function named<T>(stores: ReadonlyMap<string, T>, call: ServedCall): T {
  const [id = ""] = call.header("buildkit-attachable-store-id");
  const store = stores.get(id);
  if (store === undefined) throw new TbuildError("not_found", `unknown store ${id}`);
  return store;
}

function found(store: BlobReader, digest: string): { readonly path: string; readonly size: number } {
  const blob = store.find(parseDigest(digest));
  if (blob === null) throw new TbuildError("not_found", `content ${digest}: not found`);
  return blob;
}

interface ReadRequest {
  readonly digest: string;
  readonly offset: number;
  readonly size: number;
}

async function read(call: ServedCall, store: BlobReader, { digest, offset, size }: ReadRequest): Promise<void> {
  const blob = found(store, digest);
  const end = size === 0 ? blob.size : Math.min(blob.size, offset + size);
  if (offset < 0 || offset > blob.size) throw new TbuildError("invalid_argument", `Cannot read blob "${digest}" from byte ${offset}`);
  if (end <= offset) return;
  let at = offset;
  for await (const chunk of createReadStream(blob.path, { start: offset, end: end - 1, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (const data of pieces(chunk)) {
      await call.send([readBlob.response.encode({ offset: at, data })]);
      at += data.length;
    }
  }
}

/** One blob: a "stat", pieces, and a "commit". Source: containerd, plugins/services/content/contentserver. */
async function write(call: ServedCall, store: BlobWriter): Promise<void> {
  let open: { readonly digest: Digest; readonly write: BlobWrite } | null = null;
  let total = 0;
  let offset = 0;
  const begin = async (expected: string): Promise<NonNullable<typeof open>> => {
    const digest = parseDigest(expected);
    if (await store.has(digest)) throw new TbuildError("already_exists", `content ${digest}: already exists`);
    return { digest, write: await store.begin(digest) };
  };
  try {
    for await (const messages of call.received) {
      for (const message of messages) {
        const request = writeBlob.request.decode(message);
        total = request.total === 0 ? total : request.total;
        open ??= await begin(request.expected);
        if (request.action !== "stat" && request.data.length > 0) {
          if (request.offset !== offset) throw new TbuildError("invalid_argument", `Cannot write blob "${open.digest}" at byte ${request.offset}: it has ${offset}`);
          await open.write.write(request.data);
          offset += request.data.length;
        }
        if (request.action === "commit") await open.write.commit({ digest: open.digest, size: offset });
        const digest = request.action === "commit" ? open.digest : "";
        await call.send([writeBlob.response.encode({ action: request.action, offset, total, digest, startedAt: Date.now(), updatedAt: Date.now() })]);
        if (request.action === "commit") return;
      }
    }
  } finally {
    await open?.write[Symbol.asyncDispose]();
  }
}
