import { createHash, randomUUID, type Hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { ContentStore, Ingest } from "../../cache/content/store.js";
import { finishDigest, type Digest } from "../../cache/oci/digest.js";

/** A file of which some bytes have come, over as many requests as it takes. Disposing gives up what was not committed. */
export interface PartialFile extends AsyncDisposable {
  /** Bytes so far. */
  readonly bytes: number;
  /** Headers that ask for the rest, if the file is still the same; none when it has to come from its start. */
  resumeHeaders(): Readonly<Record<string, string>>;
  /** Begins with an answer: false when it does not go on where we are. Source: RFC 9110 sections 13.1.5 and 14.4 */
  begin(status: number, headers: IncomingHttpHeaders): Promise<boolean>;
  write(chunk: Buffer): Promise<void>;
  commit(): Promise<Digest>;
}

/** An empty one, in the content store. */
export function partialFile(content: ContentStore): PartialFile {
  let ingest: Ingest | null = null;
  let hash: Hash = createHash("sha256");
  let bytes = 0;
  let validator: string | null = null;

  async function restart(): Promise<void> {
    await ingest?.[Symbol.asyncDispose]();
    ingest = await content.ingest(`http-${randomUUID()}`);
    hash = createHash("sha256");
    bytes = 0;
  }
  return {
    get bytes() {
      return bytes;
    },
    resumeHeaders: (): Record<string, string> => (bytes === 0 || validator === null ? {} : { range: `bytes=${bytes}-`, "if-range": validator }),
    async begin(status, headers) {
      if (status === 206) return new RegExp(`^bytes ${bytes}-`).test(headers["content-range"] ?? "");
      await restart();
      validator = validatorOf(headers);
      return status === 200;
    },
    async write(chunk) {
      await ingest!.write(chunk);
      hash.update(chunk);
      bytes += chunk.length;
    },
    async commit() {
      const digest = finishDigest(hash);
      await ingest!.commit({ digest, size: bytes });
      return digest;
    },
    [Symbol.asyncDispose]: async () => await ingest?.[Symbol.asyncDispose](),
  };
}

/** What says that the file is still the same byte for byte: a weak etag does not. */
function validatorOf({ etag, "last-modified": lastModified }: IncomingHttpHeaders): string | null {
  return etag?.startsWith('"') === true ? etag : (lastModified ?? null);
}
