import { statSync } from "node:fs";
import path from "node:path";
import { hexOf } from "../../cache/oci/digest.js";
import type { BlobReader } from "./session/contentStores.js";

/** The blobs of an OCI layout directory; the builder checks them. */
export function layoutReader(dir: string): BlobReader {
  return {
    find(digest) {
      const file = path.join(dir, "blobs", "sha256", hexOf(digest));
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat?.isFile() === true ? { path: file, size: stat.size } : null;
    },
  };
}
