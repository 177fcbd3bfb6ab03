import { createHash } from "node:crypto";
import type { JobContext } from "../bulk/jobs.js";
import { finishDigest } from "../oci/digest.js";
import { openPlain } from "./decompress.js";
import type { TarEntry } from "./header.js";
import type { LayerEntry } from "./layerEntry.js";
import { openTar, type TarReader } from "./reader.js";

/** All entries of a tar that is not compressed, in its order. @throws {TbuildError} parse_failed, corrupt, unsupported */
export function layerEntries({ tar }: { readonly tar: string }, ctx: JobContext): readonly LayerEntry[] {
  using file = openPlain(tar);
  const reader = openTar(file.read, (bytes) => ctx.tick(bytes.length, 0));
  const entries: LayerEntry[] = [];
  for (let entry = reader.next(); entry !== null; entry = reader.next()) {
    entries.push(withContent(reader, entry));
    ctx.tick(0, 1);
  }
  return entries;
}

function withContent(reader: TarReader, { xattrs, records: _records, ...entry }: TarEntry): LayerEntry {
  const own = { ...entry, xattrs: Object.fromEntries([...xattrs].map(([key, value]) => [key, value.toString("latin1")])) };
  if (entry.type !== "file") return { ...own, digest: null, offset: null };
  const start = reader.position();
  const hash = createHash("sha256");
  let at = 0;
  let stored = 0;
  reader.readBody((data, place) => {
    hashZeros(hash, place - at);
    hash.update(data);
    at = place + data.length;
    stored += data.length;
  });
  hashZeros(hash, entry.size - at);
  return { ...own, digest: finishDigest(hash), offset: stored === entry.size ? start : null };
}

const ZEROS = Buffer.alloc(1 << 16);

function hashZeros(hash: { update(data: Buffer): unknown }, count: number): void {
  for (let left = count; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}
