import { type Stats, statSync } from "node:fs";
import path from "node:path";
import { hexOf } from "../../cache/oci/digest.js";
import type { BlobReader } from "./session/contentStores.js";

/** The blobs of an OCI layout directory; the builder checks them. */
export function layoutReader(dir: string): BlobReader {
  return {
    find(digest) {
      const file = path.join(dir, "blobs", "sha256", hexOf(digest));
      const stat = statOf(file);
      return stat?.isFile() === true ? { path: file, size: stat.size } : null;
    },
  };
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    // Something on the way there is no directory.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}
