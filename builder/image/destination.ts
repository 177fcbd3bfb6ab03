import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { TbuildError, cancelled, fromSystemError, isTbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { LayoutSink } from "./layout.js";

/**
 * Runs `body` with a stream to `dest`: a file, or `stdout` for "-". A file is written under another name beside it and
 * appears when it is complete; on failure nothing is left. @throws {TbuildError} invalid_argument when dest is a directory
 */
export async function writeDestination(dest: string, stdout: Writable, body: (stream: Writable) => Promise<void>): Promise<void> {
  if (dest === "-") return await toStdout(stdout, body);
  const found = await stat(dest).catch(() => null);
  if (found?.isDirectory() === true) throw new TbuildError(
    "invalid_argument",
    `Cannot write "${dest}": it is a directory`,
    { hint: "Name a file, or use tar=false" },
  );
  if (found?.isFile() === false) return await toDevice(dest, body);
  const temporary = temporaryName(dest);
  try {
    await mkdir(path.dirname(dest), { recursive: true });
    await writeAll(createWriteStream(temporary, { flags: "wx" }), body);
    await syncFile(temporary);
    await rename(temporary, dest);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error tells more
    throw destinationError(error, dest);
  }
}

async function toStdout(stdout: Writable, body: (stream: Writable) => Promise<void>): Promise<void> {
  try {
    await body(stdout);
  } catch (error) {
    throw destinationError(error, "-");
  }
}

/** A device or a pipe (`/dev/null`, `/dev/stdout`) is written to, and never replaced by a file. */
async function toDevice(dest: string, body: (stream: Writable) => Promise<void>): Promise<void> {
  try {
    await writeAll(createWriteStream(dest), body);
  } catch (error) {
    throw destinationError(error, dest);
  }
}

async function writeAll(stream: Writable, body: (stream: Writable) => Promise<void>): Promise<void> {
  stream.on("error", () => {}); // the write that failed tells it, to whoever waits for it
  try {
    await body(stream);
    stream.end();
    await finished(stream);
  } finally {
    stream.destroy();
  }
}

/** Writes a chunk and waits while the stream is behind. */
export async function writeChunk(stream: Writable, chunk: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Packs a layout into a tar whose headers say nothing of this machine or time. */
export async function writeTar(stream: Writable, body: (sink: LayoutSink) => Promise<void>, { signal }: Opts): Promise<void> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  const flowing = pipeline(tar, stream, { end: false, ...(signal ? { signal } : {}) });
  // A tar whose reader is gone takes nothing any more, and would keep its writer waiting for ever.
  const broken = new Promise<never>((_, reject) => void flowing.catch(reject));
  try {
    await Promise.race([body(tarSink(tar)), broken]);
    tar.finalize();
    await flowing;
  } catch (error) {
    tar.destroy();
    throw signal?.aborted ? cancelled(signal) : error;
  }
}

/**
 * Writes a layout into a directory, made when missing. Each file appears complete and index.json after what it names, so that
 * a reader of a layout that is already there never sees half of it. On failure a directory that we made is removed.
 */
export async function writeDirectory(dest: string, body: (sink: LayoutSink) => Promise<void>): Promise<void> {
  const created = await mkdir(dest, { recursive: true });
  try {
    await body(directorySink(dest));
  } catch (error) {
    if (created !== undefined) await rm(created, { recursive: true, force: true });
    throw destinationError(error, dest);
  }
}

function tarSink(tar: Pack): LayoutSink {
  const common = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };
  return {
    async directory(name) {
      await new Promise<void>((resolve, reject) => {
        tar.entry({ ...common, name, type: "directory", mode: 0o755 }, (error) => (error ? reject(error) : resolve()));
      });
    },
    async file(name, content) {
      const size = content instanceof Uint8Array ? content.length : content.size;
      const entry = tar.entry({ ...common, name, size, mode: 0o644 });
      if (content instanceof Uint8Array) entry.end(content);
      await (content instanceof Uint8Array ? finished(entry) : pipeline(createReadStream(content.path), entry));
    },
  };
}

function directorySink(root: string): LayoutSink {
  return {
    directory: async (name) => void (await mkdir(path.join(root, name), { recursive: true })),
    async file(name, content) {
      const target = path.join(root, name);
      const temporary = temporaryName(target);
      try {
        await (content instanceof Uint8Array
          ? writeFile(temporary, content, { flag: "wx" })
          : pipeline(createReadStream(content.path), createWriteStream(temporary, { flags: "wx" })));
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

function temporaryName(target: string): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}.tmp`);
}

async function syncFile(name: string): Promise<void> {
  await using file = await open(name, "r+");
  await file.sync();
}

/** The user chose the destination, so that not being able to write there is theirs to know. */
function destinationError(error: unknown, dest: string): unknown {
  const known = fromSystemError(error, dest);
  const code = (error as NodeJS.ErrnoException).code;
  if (isTbuildError(known) || code === undefined) return known;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new TbuildError(denied ? "permission_denied" : "invalid_argument", `Cannot write "${dest}": ${code}`, { cause: error });
}
