import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Opts } from "../../../cache/content/store.js";
import { TbuildError } from "../../../cache/errors.js";
import { type Descriptor, type Index, type Manifest, mediaTypes } from "../../../cache/oci/descriptor.js";
import { digestOf, hexOf } from "../../../cache/oci/digest.js";
import { writeDestination, writeTar } from "../../image/destination.js";
import type { LayoutSink } from "../../image/layout.js";
import type { BuildHistory, BuildHistoryRecord } from "../buildHistory.js";
import { RECORD_TYPE, type RecordBlobs, recordToJson } from "./recordJson.js";

/** Names the record of a manifest. Source: buildx, util/desktop/bundle/export.go */
const REF_ANNOTATION = "vnd.buildkit.history.reference";

/** Where a bundle goes: a file, or `stdout` for "-". */
export interface BundleDestination {
  readonly dest: string;
  readonly stdout: Writable;
}

/**
 * Writes builds that have ended, with their logs, traces and errors, as a `.dockerbuild` file: an OCI layout in a gzip tar. What
 * looks like a token in a trace is left out. @throws {TbuildError} not_found, corrupt, unavailable, cancelled
 */
export async function exportBuilds(history: BuildHistory, records: readonly BuildHistoryRecord[], { dest, stdout }: BundleDestination, opts: Opts): Promise<void> {
  await writeDestination(dest, stdout, async (stream) => {
    const zip = createGzip();
    const zipped = pipeline(zip, stream, { end: false });
    await Promise.all([writeTar(zip, (sink) => writeBundle(sink, history, records, opts), opts).finally(() => zip.end()), zipped]);
  });
}

async function writeBundle(sink: LayoutSink, history: BuildHistory, records: readonly BuildHistoryRecord[], opts: Opts): Promise<void> {
  const blobs = blobSink(sink, history, opts);
  await sink.file("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  const manifests: Descriptor[] = [];
  for (const record of records) manifests.push({ ...(await writeRecord(blobs, record)), annotations: { [REF_ANNOTATION]: record.ref } });
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const root = manifests.length === 1 ? manifests[0]! : await blobs.write(mediaTypes.ociIndex, json(index));
  await sink.file("index.json", json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [root] }));
}

async function writeRecord(blobs: BlobSink, record: BuildHistoryRecord): Promise<Descriptor> {
  const kept: RecordBlobs = {
    trace: await blobs.copy(record.trace, withoutTokens),
    logs: await blobs.copy(record.logs),
    error: await blobs.copy(record.externalError),
    said: await copySaid(blobs, record),
  };
  const config = await blobs.write(RECORD_TYPE, json(recordToJson(record, kept)));
  const layers = [kept.trace, kept.logs, kept.error, ...kept.said.map(({ blob }) => blob)].filter((blob) => blob !== null);
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  return await blobs.write(mediaTypes.ociManifest, json(manifest));
}

async function copySaid(blobs: BlobSink, { result, results }: BuildHistoryRecord): Promise<RecordBlobs["said"]> {
  const said: RecordBlobs["said"][number][] = [];
  for (const [platform, info] of [["", result] as const, ...Object.entries(results)]) {
    for (const blob of info?.attestations ?? []) {
      const copied = await blobs.copy(blob);
      if (copied !== null) said.push({ platform, blob: { ...copied, annotations: blob.annotations } });
    }
  }
  return said;
}

interface BlobSink {
  write(mediaType: string, bytes: Uint8Array): Promise<Descriptor>;
  /** Brings a blob of the history along, as `change` makes it. */
  copy(blob: BlobRef | null, change?: (bytes: Buffer) => Uint8Array): Promise<Descriptor | null>;
}

interface BlobRef {
  readonly mediaType: string;
  readonly digest: string;
}

function blobSink(sink: LayoutSink, history: BuildHistory, opts: Opts): BlobSink {
  const written = new Set<string>();
  async function write(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = digestOf(bytes);
    if (!written.has(digest)) await sink.file(`blobs/sha256/${hexOf(digest)}`, bytes);
    written.add(digest);
    return { mediaType, digest, size: bytes.length };
  }
  return {
    write,
    async copy(blob, change = (bytes) => bytes) {
      if (blob === null) return null;
      const chunks: Uint8Array[] = [];
      for await (const chunk of history.read(blob.digest, opts)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (digestOf(bytes) !== blob.digest) throw new TbuildError("corrupt", `Cannot export a build: ${history.name} gives other bytes for blob "${blob.digest}"`);
      return await write(blob.mediaType, change(bytes));
    },
  };
}

/** Source: buildx, util/desktop/bundle/trace.go */
function withoutTokens(trace: Buffer): Uint8Array {
  const text = trace.toString("utf8");
  const plain = text
    .replace(/(ghtoken|token|access_key_id|secret_access_key|session_token)=[^ ,"\\]+/gi, "$1=xxxxx")
    .replace(/(?:ghu|ghs)_[A-Za-z0-9]{36}|github_pat_\w{82}/g, "xxxxx");
  return plain === text ? trace : Buffer.from(plain);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, null, 2));
}
