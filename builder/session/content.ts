import { randomUUID } from "node:crypto";
import type { Opts } from "../../cache/content/store.js";
import { hasCode, TbuildError } from "../../cache/errors.js";
import { parseDigest, type Digest } from "../../cache/oci/digest.js";
import { abortWrite, getBlobInfo, readBlob, writeBlob } from "../api/sessionContent.js";
import { ask, pieces } from "./calls.js";
import type { RawCall } from "./rawCall.js";
import { requireMethod, type Session } from "./session.js";

/** A content store of the client's: a layout directory that it reads from or writes to. */
export interface ClientContent {
  /** Bytes of a blob. @throws {TbuildError} not_found */
  size(digest: Digest, opts: Opts): Promise<number>;
  /** Bytes from `offset` on, which nobody has checked. @throws {TbuildError} not_found */
  read(digest: Digest, opts: Opts & { readonly offset?: number }): AsyncIterable<Uint8Array>;
  /** Writes a blob unless it is there; the client checks it. @throws {TbuildError} corrupt, unavailable */
  write(blob: { readonly digest: Digest; readonly size: number }, bytes: AsyncIterable<Uint8Array>, opts: Opts): Promise<void>;
}

/** The store that the client has under this id: "export", "local:<dir>" or "oci:<id>". */
export function clientContent(session: Session, storeId: string): ClientContent {
  const metadata = { "buildkit-attachable-store-id": storeId };
  return {
    async size(digest, opts) {
      requireMethod(session, getBlobInfo.path, "read an image layout");
      const { info } = await ask(session, getBlobInfo, { digest }, { ...opts, metadata });
      if (info?.digest !== digest) throw new TbuildError("corrupt", `Cannot read blob "${digest}" of the client: it told of another`);
      return info.size;
    },
    async *read(digest, { signal, offset = 0 }) {
      requireMethod(session, readBlob.path, "read an image layout");
      const call = session.call(readBlob.path, { signal, metadata });
      try {
        await call.send([readBlob.request.encode({ digest, offset })]).catch(() => {});
        call.finish();
        for await (const messages of call.received) {
          for (const message of messages) yield readBlob.response.decode(message).data;
        }
      } finally {
        call.cancel();
      }
    },
    async write(blob, bytes, opts) {
      requireMethod(session, writeBlob.path, "write an image layout");
      const ref = `tbuild-${blob.digest.replace(":", "-")}-${randomUUID()}`;
      const call = session.call(writeBlob.path, { ...opts, metadata });
      try {
        await writeAll(call, ref, blob, bytes);
      } catch (error) {
        if (hasCode(error, "already_exists")) return;
        await ask(session, abortWrite, { ref }, { metadata, timeoutMs: 5_000 }).catch(() => {});
        throw error;
      } finally {
        call.cancel();
      }
    },
  };
}

async function writeAll(
  call: RawCall,
  ref: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const answers = call.received[Symbol.asyncIterator]();
  let offset = 0;
  const exchange = async (request: Parameters<typeof writeBlob.request.encode>[0]): Promise<string> => {
    await call.send([writeBlob.request.encode(request)]).catch(() => {});
    const { value, done } = await answers.next();
    const [message] = done === true ? [] : value;
    if (message === undefined) throw new TbuildError("corrupt", `Cannot write blob "${digest}": the client gave no answer`);
    const answer = writeBlob.response.decode(message);
    const expected = offset + (request.data?.length ?? 0);
    if (answer.offset !== expected) throw new TbuildError("corrupt", `Cannot write blob "${digest}": the client took ${answer.offset} bytes of ${expected}`);
    offset = expected;
    return answer.digest;
  };
  await exchange({ action: "stat", ref, total: size, expected: digest });
  for await (const chunk of bytes) {
    for (const data of pieces(chunk)) await exchange({ action: "write", ref, offset, data });
  }
  const committed = await exchange({ action: "commit", ref, total: size, offset, expected: digest });
  call.finish();
  if (parseDigest(committed) !== digest) throw new TbuildError("corrupt", `Cannot write blob "${digest}": the client has "${committed}"`);
}
