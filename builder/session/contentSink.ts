import { createReadStream } from "node:fs";
import type { Opts } from "../../cache/content/store.js";
import { parseDigest } from "../../cache/oci/digest.js";
import type { LayoutSink } from "../image/layout.js";
import type { ClientContent } from "./content.js";

/** Takes the blobs of a layout into a content store of the client's. The layout's other files are the client's to write. */
export function contentSink(content: ClientContent, opts: Opts): LayoutSink {
  return {
    directory: async () => {},
    async file(name, bytes) {
      const [, algorithm, hex] = /^blobs\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
      if (hex === undefined) return;
      const size = bytes instanceof Uint8Array ? bytes.length : bytes.size;
      await content.write({ digest: parseDigest(`${algorithm}:${hex}`), size }, chunksOf(bytes), opts);
    },
  };
}

async function* chunksOf(bytes: Parameters<LayoutSink["file"]>[1]): AsyncIterable<Uint8Array> {
  if (bytes instanceof Uint8Array) yield bytes;
  else yield* createReadStream(bytes.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
}
