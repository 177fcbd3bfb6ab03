import { hasCode, TbuildError } from "../../cache/errors.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { formatReference, parseReference, type Reference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { hasBlob, type RegistryClient } from "../registry/client.js";
import { putBlob } from "../registry/resolve.js";
import { type OneFile, readFileAttributes, writeFileSnapshot } from "./fileSnapshot.js";
import { type LayoutDeps, layoutName, openLayout } from "./ociLayout.js";
import type { Source, SourceRequest } from "./source.js";

/** What {@link createBlobSource} works with. */
export interface BlobDeps extends LayoutDeps {
  readonly client: RegistryClient;
}

/** {@link bringBlob} of one build. */
export type BringBlob = (request: Pick<SourceRequest, "identifier" | "attrs">, opts: StepOpts) => Promise<Digest>;

/** Where one blob is. */
export interface BlobPlace {
  readonly reference: Reference;
  readonly digest: Digest;
  /** It is in an image layout, and not in a registry. */
  readonly layout: boolean;
}

const PLACE = /^(docker-image|oci-layout)\+blob:\/\/(.*)$/s;

/**
 * `docker-image+blob://repository@digest`, `oci-layout+blob://name@digest`: one blob of a repository or of an image layout, as
 * a file alone in its tree. Attributes are those of downloads and of layouts; the file is called as its digest unless
 * http.filename says otherwise. Nobody is asked before it is needed. Source: BuildKit, source/containerblob.
 */
export function createBlobSource(deps: BlobDeps): Source {
  return {
    schemes: ["docker-image+blob", "oci-layout+blob"],
    async resolve({ identifier, attrs }) {
      const { reference, digest, layout } = blobPlace(identifier);
      if (layout) layoutName({ identifier, attrs });
      const given = readFileAttributes(attrs);
      const file = { ...given, filename: given.filename ?? digest.slice(digest.indexOf(":") + 1), digest, mtime: 0 };
      const pin = pinOf(file);
      return {
        pin,
        attributes: { blob: formatReference(reference) },
        async snapshot(opts) {
          await bringBlob(deps, { identifier, attrs }, opts);
          return { kind: "snapshot", name: await writeFileSnapshot(deps.store, file, `blob-${pin}`, opts) };
        },
      };
    },
  };
}

/** Reads the identifier of a blob. @throws {TbuildError} invalid_argument, invalid_reference, invalid_digest */
export function blobPlace(identifier: string): BlobPlace {
  const [, scheme, rest = ""] = PLACE.exec(identifier) ?? [];
  if (scheme === undefined) throw new TbuildError("invalid_argument", `Cannot read "${identifier}" as a blob: expected docker-image+blob:// or oci-layout+blob://`);
  const reference = parseReference(rest);
  const { digest } = reference;
  if (digest === null) throw new TbuildError("invalid_reference", `Cannot read the blob "${identifier}": it names no digest`);
  return { reference, digest, layout: scheme === "oci-layout" };
}

function pinOf({ digest, filename, mode, uid, gid }: OneFile): Digest {
  return digestOf(JSON.stringify(["tbuild.blob.v1", digest, filename, mode, uid, gid]));
}

/** Brings a blob into the content store, verified. @throws {TbuildError} not_found, unauthorized, unavailable, digest_mismatch, corrupt */
export async function bringBlob({ store, client, layouts }: BlobDeps, request: Pick<SourceRequest, "identifier" | "attrs">, opts: StepOpts): Promise<Digest> {
  const place = blobPlace(request.identifier);
  const { digest, layout } = place;
  if (await hasBlob(store.content, { digest })) return digest;
  if (layout) await copyBlob(await openLayout(layouts, request, opts), place, store, opts);
  else await copyBlob(client, place, store, opts).catch((error: unknown) => manifestInstead(error, client, place, store, opts));
  return digest;
}

async function copyBlob(client: RegistryClient, { reference, digest }: BlobPlace, store: Store, opts: StepOpts): Promise<void> {
  const size = await client.blobSize(reference, digest, opts);
  const onProgress = (bytes: number) => opts.report.status(digest, bytes, size);
  await client.fetchBlob(reference, { mediaType: "", digest, size }, store.content, { ...opts, onProgress });
  opts.report.statusDone(digest);
}

/** Registries have manifests in another place than blobs; a digest is one of either. */
async function manifestInstead(error: unknown, client: RegistryClient, { reference, digest }: BlobPlace, store: Store, opts: StepOpts): Promise<void> {
  if (!hasCode(error, "not_found")) throw error;
  const { bytes } = await client.manifest(reference, opts).catch((second: unknown) => {
    throw hasCode(second, "not_found") ? error : second;
  });
  await putBlob(store.content, bytes, digest, opts);
}
