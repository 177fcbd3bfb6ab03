import type { Opts } from "../../../cache/content/store.js";
import { isTbuildError, TbuildError } from "../../../cache/errors.js";
import { blobsOfBuild } from "../../../cache/buildRecords.js";
import type { BuildRecord } from "../../../cache/meta/records.js";
import { type Descriptor, type Index, type Manifest, mediaTypes } from "../../../cache/oci/descriptor.js";
import { hexOf, isDigest } from "../../../cache/oci/digest.js";
import type { Store } from "../../../cache/store.js";
import { type ArchiveFiles, readArchive } from "../../image/archiveRead.js";
import { RECORD_TYPE, recordFromJson, type RecordJson } from "./recordJson.js";

/** More is no record: they are a few kilobytes. */
const MAX_JSON = 16 << 20;

/**
 * Brings the builds of a `.dockerbuild` file into a store and returns their refs. They stay until somebody removes them.
 * @throws {TbuildError} not_found, corrupt, digest_mismatch, unsupported; already_exists when the store has another build of this name
 */
export async function importBuilds(store: Store, file: string, opts: Opts): Promise<readonly string[]> {
  try {
    const files = await readArchive(store.content, file, opts);
    const bundle = { store, files, opts };
    const records = await recordsIn(bundle, await readJson<Index>(bundle, "index.json"));
    if (records.length === 0) throw new TbuildError("unsupported", "it holds no record of a build");
    for (const record of records) await keep(bundle, record);
    return records.map(({ ref }) => ref);
  } catch (error) {
    throw placed(error, file);
  }
}

interface Bundle {
  readonly store: Store;
  readonly files: ArchiveFiles;
  readonly opts: Opts;
}

/** Manifests may be in an index of their own. */
async function recordsIn(bundle: Bundle, { manifests = [] }: Partial<Index>): Promise<readonly BuildRecord[]> {
  const records: BuildRecord[] = [];
  for (const descriptor of manifests) {
    const blob = fileOf(descriptor);
    if (descriptor.mediaType === mediaTypes.ociIndex) records.push(...(await recordsIn(bundle, await readJson<Index>(bundle, blob))));
    else records.push(await recordOf(bundle, await readJson<Manifest>(bundle, blob)));
  }
  return records;
}

async function recordOf(bundle: Bundle, { config }: Partial<Manifest>): Promise<BuildRecord> {
  if (config?.mediaType !== RECORD_TYPE) throw new TbuildError("unsupported", `it holds "${config?.mediaType ?? "nothing"}", and no record of a build`);
  const record = recordFromJson(await readJson<RecordJson>(bundle, fileOf(config)));
  const missing = blobsOfBuild(record).find((blob) => bundle.files.get(fileOf(blob))?.size !== blob.size);
  if (missing !== undefined) throw new TbuildError("corrupt", `blob "${missing.digest}" of build "${record.ref}" is missing`);
  return record;
}

async function keep({ store }: Bundle, record: BuildRecord): Promise<void> {
  const found = store.meta.builds.get(record.ref);
  if (found !== undefined && found.createdAt !== record.createdAt) throw new TbuildError("already_exists", `the store has another build "${record.ref}"`);
  if (found === undefined) await store.meta.builds.put(record.ref, record);
}

function fileOf({ digest }: Pick<Descriptor, "digest">): string {
  if (!isDigest(digest)) throw new TbuildError("corrupt", `"${String(digest)}" is no digest`);
  return `blobs/sha256/${hexOf(digest)}`;
}

async function readJson<T>({ store, files, opts }: Bundle, name: string): Promise<T> {
  const blob = files.get(name);
  if (blob === undefined) throw new TbuildError("corrupt", `it has no "${name}"`);
  if (blob.size > MAX_JSON) throw new TbuildError("corrupt", `"${name}" is too large`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.content.read(blob.digest, opts)) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as T;
  } catch (cause) {
    throw new TbuildError("corrupt", `"${name}" is no JSON`, { cause });
  }
}

function placed(error: unknown, file: string): unknown {
  if (!isTbuildError(error)) return error;
  const reason = error.message.replace(/^Cannot read image archive(?: "[^"]*")?:? ?/, "");
  if (error.code === "not_found" && reason === "") return new TbuildError("not_found", `Cannot import "${file}": no such file`, { cause: error });
  return new TbuildError(error.code, `Cannot import "${file}": ${reason}`, { cause: error, hint: "tbuild history export and docker buildx history export write such files" });
}
