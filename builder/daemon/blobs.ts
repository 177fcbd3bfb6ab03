import { parseDigest } from "../../cache/oci/digest.js";
import type { ContentStore } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { contentService, ReadContentRequest } from "../api/content.js";
import type { Encodable } from "../api/schema.js";
import type { blobInfo } from "../api/sessionContent.js";
import type { Handlers } from "./handlers.js";

/** Bytes of one message. */
const CHUNK = 2 ** 20;

/** Blobs of the store, to read: what clients want to see of a build's results. */
export function contentHandlers(content: ContentStore): Handlers<typeof contentService.methods> {
  return {
    async Info({ digest }) {
      const { size, createdAt } = await content.info(parseDigest(digest));
      return { info: { digest, size, createdAt, updatedAt: createdAt } };
    },
    List: ({ filters }) => listBlobs(content, filters),
    Read: (request, { signal }) => readBlob(content, request, signal),
  };
}

/** Blobs of one message. */
const BATCH = 100;

async function* listBlobs(content: ContentStore, filters: readonly string[]): AsyncGenerator<{ readonly info: readonly BlobInfoInput[] }> {
  if (filters.length > 0) throw new TbuildError("unsupported", "Cannot list some blobs: filters of blobs are not supported");
  let info: BlobInfoInput[] = [];
  for await (const { digest, size, createdAt } of content.walk()) {
    info.push({ digest, size, createdAt, updatedAt: createdAt });
    if (info.length < BATCH) continue;
    yield { info };
    info = [];
  }
  if (info.length > 0) yield { info };
}

type BlobInfoInput = Encodable<typeof blobInfo>;

interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
}

async function* readBlob(content: ContentStore, request: ReadContentRequest, signal: AbortSignal): AsyncGenerator<Piece> {
  const { digest, offset, size } = request;
  const blob = parseDigest(digest);
  const { size: total } = await content.info(blob);
  if (offset < 0 || size < 0 || offset > total) {
    throw new TbuildError("invalid_argument", `Cannot read "${digest}" from byte ${offset} on: it has ${total}`);
  }
  const end = size === 0 ? total : Math.min(total, offset + size);
  let at = offset;
  for await (const chunk of content.read(blob, { offset, signal })) {
    for (let from = 0; from < chunk.length && at < end; ) {
      const data = chunk.subarray(from, from + Math.min(CHUNK, end - at));
      yield { offset: at, data };
      from += data.length;
      at += data.length;
    }
    if (at >= end) return;
  }
}
