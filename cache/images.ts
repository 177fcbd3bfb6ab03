import { TbuildError } from "./errors.js";
import type { MetaDb, MetaTx } from "./meta/db.js";
import type { ImageManifestRecord, ImageRecord } from "./meta/records.js";
import { type Digest, hexOf } from "./oci/digest.js";
import { formatReference, parseReference, withDefaultTag } from "./oci/reference.js";

const DANGLING = "<none>@";
const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * Names of images. Names are normalised ("nginx" is "docker.io/library/nginx:latest"). An image that loses its last
 * name to another image stays under the name `<none>@<config digest>` until it is removed.
 */
export interface ImageStore {
  /** Gives a name to an image, taking it from the image that had it; nothing is written when it has it already. @throws {TbuildError} invalid_reference */
  put(name: string, manifests: readonly ImageManifestRecord[]): Promise<ImageRecord>;
  /** Keeps an image without a name. */
  putDangling(manifests: readonly ImageManifestRecord[]): Promise<ImageRecord>;
  /** The image of a name, dangling names included; null when there is none. @throws {TbuildError} invalid_reference */
  get(name: string): ImageRecord | null;
  /** All names in alphabetical order. */
  list(): readonly ImageRecord[];
  /**
   * All names of the image whose ID starts with `prefix` (hex, `sha256:` optional).
   * @throws {TbuildError} invalid_argument when several images have such an ID
   */
  byId(prefix: string): readonly ImageRecord[];
  /** By name, else by ID prefix. @throws {TbuildError} not_found */
  resolve(nameOrId: string): ImageRecord;
  /** Gives the image `source` (name or ID) one more name. @throws {TbuildError} not_found, invalid_reference */
  tag(source: string, target: string): Promise<ImageRecord>;
  /** Forgets a name; bytes that nothing else holds go with the next prune. @throws {TbuildError} not_found */
  remove(name: string): Promise<ImageRecord>;
}

/** The image store in the metadata database. */
export function imageStore(meta: MetaDb): ImageStore {
  const get = (name: string) => meta.images.get(normaliseName(name)) ?? null;
  const list = () => [...meta.images.entries()].map(([, record]) => record);
  const byId = (prefix: string) => withId(list(), prefix);

  const resolve = (nameOrId: string): ImageRecord => {
    const found = tryGet(get, nameOrId) ?? byId(nameOrId)[0];
    if (found === undefined) throw imageNotFound(nameOrId);
    return found;
  };

  const put = async (name: string, manifests: readonly ImageManifestRecord[]) => {
    const record = { name: normaliseName(name), manifests, updatedAt: Date.now() };
    const known = meta.images.get(record.name);
    // A build that changed nothing need not wait for the disk.
    if (known !== undefined && isSame(known, record) && meta.images.get(danglingName(manifests)) === undefined) return known;
    return await meta.transaction((tx) => putNamed(tx, record));
  };

  return {
    put,
    async putDangling(manifests) {
      const record = { name: danglingName(manifests), manifests, updatedAt: Date.now() };
      const known = meta.images.get(record.name);
      if (known !== undefined && isSame(known, record)) return known;
      return await meta.transaction((tx) => (tx.images.put(record.name, record), record));
    },
    get,
    list,
    byId,
    resolve,
    tag: async (source, target) => put(target, resolve(source).manifests),
    remove: (name) => meta.transaction((tx) => removeName(tx, normaliseName(name))),
  };
}

/** True for the name of an image that has no name of the user's. */
export function isDangling(record: Pick<ImageRecord, "name">): boolean {
  return record.name.startsWith(DANGLING);
}

/** True when `nameOrId`, which led to the record, is its name and not the beginning of its ID. */
export function isNamed(record: ImageRecord, nameOrId: string): boolean {
  return !ID_PREFIX.test(nameOrId) || (!nameOrId.startsWith("sha256:") && normaliseName(nameOrId) === record.name);
}

/** An image's ID: the digest of its config, of the first platform when there are several. */
export function imageId(record: Pick<ImageRecord, "manifests">): Digest {
  const [first] = record.manifests;
  if (first === undefined) throw new Error("An image record without manifests");
  return first.config;
}

function isSame(a: ImageRecord, b: ImageRecord): boolean {
  return JSON.stringify(a.manifests) === JSON.stringify(b.manifests);
}

function putNamed(tx: MetaTx, record: ImageRecord): ImageRecord {
  const previous = tx.images.get(record.name);
  tx.images.put(record.name, record);
  tx.images.remove(danglingName(record.manifests));
  if (previous !== undefined) keepDangling(tx, previous);
  return record;
}

function keepDangling(tx: MetaTx, previous: ImageRecord): void {
  const id = imageId(previous);
  for (const [, other] of tx.images.entries()) {
    if (imageId(other) === id) return;
  }
  const name = danglingName(previous.manifests);
  tx.images.put(name, { ...previous, name });
}

function removeName(tx: MetaTx, name: string): ImageRecord {
  const record = tx.images.get(name);
  if (record === undefined) throw imageNotFound(name);
  tx.images.remove(name);
  return record;
}

function withId(records: readonly ImageRecord[], prefix: string): readonly ImageRecord[] {
  const hex = ID_PREFIX.exec(prefix)?.[1];
  if (hex === undefined) return [];
  const found = records.filter(({ manifests }) => manifests.some(({ config }) => hexOf(config).startsWith(hex)));
  if (new Set(found.map(imageId)).size > 1) {
    throw new TbuildError("invalid_argument", `Cannot find image "${prefix}": several image IDs start with it`, {
      hint: "Give more digits of the ID",
    });
  }
  return found;
}

function normaliseName(name: string): string {
  return name.startsWith(DANGLING) ? name : formatReference(withDefaultTag(parseReference(name)));
}

// An ID such as "sha256:0123" is no valid name, and may well be an image all the same.
function tryGet(get: ImageStore["get"], name: string): ImageRecord | null {
  return ID_PREFIX.test(name) && name.startsWith("sha256:") ? null : get(name);
}

function danglingName(manifests: readonly ImageManifestRecord[]): string {
  return DANGLING + imageId({ manifests });
}

function imageNotFound(name: string): TbuildError {
  return new TbuildError("not_found", `Cannot find image "${name}": no such image`);
}
