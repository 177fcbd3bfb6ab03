import { TbuildError } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { Opts } from "../../cache/content/store.js";
import { readArchive } from "../image/archiveRead.js";
import { hasBlob, type RegistryClient } from "../registry/client.js";
import { manifestLimit, parseManifest } from "../registry/manifest.js";
import { readBlob } from "../registry/resolve.js";

/** The image of an OCI archive, whose blobs are in the content store, as if from a registry. */
export interface ArchiveImageClient {
  readonly client: RegistryClient;
  readonly digest: Digest;
}

/** Reads the only image of an OCI archive into the content store. @throws {TbuildError} not_found, corrupt, unsupported, digest_mismatch */
export async function archiveClient({ content }: Store, file: string, opts: Opts): Promise<ArchiveImageClient> {
  const index = (await readArchive(content, file, opts)).get("index.json");
  const hint = "Bring it into the image store with `tbuild image load`, and verify it by its name";
  if (index === undefined) throw new TbuildError("unsupported", `Cannot verify "${file}": it is no OCI archive`, { hint });
  const parsed = parseManifest(await readBlob(content, index.digest, manifestLimit), `index.json of "${file}"`);
  const digests = new Set(parsed.kind === "index" ? parsed.index.manifests.map(({ digest }) => digest) : []);
  const [digest] = digests;
  if (digest === undefined || digests.size > 1) throw new TbuildError("unsupported", `Cannot verify "${file}": it has ${digests.size} images`, { hint });
  const missing = (what: string) => new TbuildError("corrupt", `Cannot verify "${file}": it lacks blob ${what}`);
  return {
    digest,
    client: {
      head: async () => null,
      async manifest(reference) {
        const wanted = reference.digest ?? digest;
        if (!(await hasBlob(content, { digest: wanted }))) throw missing(wanted);
        const bytes = await readBlob(content, wanted, manifestLimit);
        return { descriptor: { mediaType: "", digest: wanted, size: bytes.length }, bytes };
      },
      blobSize: async (_reference, wanted) => (await content.info(wanted)).size,
      async fetchBlob(_reference, blob) {
        if (!(await hasBlob(content, blob))) throw missing(blob.digest);
      },
      [Symbol.dispose]: () => {},
    },
  };
}
