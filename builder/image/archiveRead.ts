import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Extract } from "tar-stream";
import { TbuildError, cancelled, isTbuildError } from "../../cache/errors.js";
import type { ContentStore, Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { isDigest } from "../../cache/oci/digest.js";

type Entry = Extract extends AsyncIterable<infer T> ? T : never;

/** Files of an archive by name, all of them in the content store. */
export type ArchiveFiles = ReadonlyMap<string, Descriptor>;

/**
 * Reads a tar, plain or gzip, into the content store in one pass. A file named blobs/sha256/<hex> must have that digest.
 * Links, which `docker save` writes for layers that are equal, are names inside the archive and never touch the file system.
 * @throws {TbuildError} not_found, corrupt, digest_mismatch, path_escape, unsupported
 */
export async function readArchive(content: ContentStore, file: string, opts: Opts = {}): Promise<ArchiveFiles> {
  const { extract } = await import("tar-stream");
  const tar = extract();
  const entries = readEntries(content, tar, opts);
  const flowing = pipeline(await openArchive(file), tar, opts.signal ? { signal: opts.signal } : {});
  const [read, flowed] = await Promise.allSettled([entries, flowing]);
  if (opts.signal?.aborted) throw cancelled(opts.signal);
  const failure = [read, flowed].find((result) => result.status === "rejected" && isTbuildError(result.reason)) ?? flowed;
  if (failure.status === "rejected") throw isTbuildError(failure.reason) ? failure.reason : unreadable(file, failure.reason);
  if (read.status === "rejected") throw unreadable(file, read.reason);
  return read.value;
}

async function openArchive(file: string): Promise<Readable> {
  const magic = await firstBytes(file);
  const stream = createReadStream(file, { highWaterMark: 1 << 20 });
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return stream;
  const { createGunzip } = await import("node:zlib");
  const plain = createGunzip({ chunkSize: 1 << 18 });
  stream.on("error", (error) => plain.destroy(error));
  return stream.pipe(plain);
}

async function firstBytes(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, "r");
    return (await handle.read(Buffer.alloc(4), 0, 4, 0)).buffer;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code === "ENOENT" ? "not_found" : "invalid_argument";
    throw new TbuildError(code, `Cannot read image archive "${file}"`, { cause: error });
  }
}

async function readEntries(content: ContentStore, tar: AsyncIterable<Entry>, opts: Opts): Promise<ArchiveFiles> {
  const files = new Map<string, Descriptor>();
  const links = new Map<string, string>();
  for await (const entry of tar) {
    const name = archivePath(entry.header.name, ".");
    const { type, linkname } = entry.header;
    if (type === "file" || type === "contiguous-file") files.set(name, await ingestEntry(content, name, entry, opts));
    else if (type === "link") links.set(name, archivePath(linkname ?? "", "."));
    else if (type === "symlink") links.set(name, archivePath(linkname ?? "", path.posix.dirname(name)));
    else if (type !== "directory") throw new TbuildError("unsupported", `Cannot read archive entry "${name}": it is a ${type}`);
    entry.resume();
  }
  for (const [name, target] of links) {
    const found = files.get(target);
    if (found !== undefined) files.set(name, found);
  }
  return files;
}

/** Name relative to the archive's root, cleaned. @throws {TbuildError} path_escape */
function archivePath(name: string, from: string): string {
  const joined = path.posix.normalize(path.posix.join(from, name));
  if (name.startsWith("/") || name.includes("\0") || joined === ".." || joined.startsWith("../")) {
    throw new TbuildError("path_escape", `Cannot read image archive: "${name}" leads out of it`);
  }
  return joined.replace(/\/$/, "");
}

async function ingestEntry(content: ContentStore, name: string, entry: Entry, opts: Opts): Promise<Descriptor> {
  const claimed = `sha256:${/^blobs\/sha256\/([^/]+)$/.exec(name)?.[1] ?? ""}`;
  await using ingest = await content.ingest(`load-${randomUUID()}`, opts);
  for await (const chunk of entry) await ingest.write(chunk as Buffer);
  return await ingest.commit(isDigest(claimed) ? { digest: claimed } : {});
}

function unreadable(file: string, cause: unknown): TbuildError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TbuildError("corrupt", `Cannot read image archive "${file}": ${reason}`, { cause });
}
