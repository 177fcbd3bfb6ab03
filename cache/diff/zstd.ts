import os from "node:os";
import type { Readable, Writable } from "node:stream";
import { TbuildError } from "../errors.js";
import { isErrno } from "../sys/libc.js";
import { spawnProcess, type ChildProcess } from "../sys/process.js";
import type { ChunkSink, Compressor, CompressorOptions } from "./compressor.js";
import { missingTool, toolEnv } from "./toolPipe.js";

/** zstd's own default. */
const DEFAULT_LEVEL = 3;

/** Above this level the window grows past the 8 MiB that every reader must be able to hold. Source: RFC 8878, 3.1.1.1.2 */
const LAST_PORTABLE_LEVEL = 19;
const WINDOW_LOG = 23;

/**
 * Compresses to one zstd frame with a checksum through zstd(1). The frame is cut into jobs whose size depends on the level
 * only, so the bytes depend on the data, the level and zstd's version: not on the number of threads, nor on how the data
 * was cut into chunks. Levels 1 to 22; 0 is the fastest, as in BuildKit.
 * @throws {TbuildError} unsupported when zstd is not installed
 */
export function createZstd(output: ChunkSink, options: CompressorOptions = {}): Compressor {
  const child = startZstd(options);
  const stdin = child.stdin!;
  const done = pump(child, output);
  done.catch(() => undefined); // reported by the next call
  stdin.on("error", () => undefined); // told by each write

  async function write(chunk: Uint8Array): Promise<void> {
    try {
      await writeTo(stdin, chunk);
    } catch (error) {
      await done; // throws why nobody reads any more
      throw error;
    }
  }

  return {
    write,
    async end() {
      stdin.end();
      await done;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      stdin.destroy();
      child.stdout!.destroy();
      await child.exited;
      await done.catch(() => undefined);
    },
  };
}

function startZstd({ level = DEFAULT_LEVEL, concurrency = os.availableParallelism() }: CompressorOptions): ChildProcess {
  const large = level > LAST_PORTABLE_LEVEL ? ["--ultra", `--zstd=wlog=${WINDOW_LOG}`] : [];
  const argv = ["zstd", "-q", "-c", `-${Math.max(1, level)}`, `-T${concurrency}`, ...large];
  try {
    return spawnProcess({ argv, env: toolEnv(), stdin: "pipe", stdout: "pipe" });
  } catch (error) {
    if (!isErrno(error, "ENOENT", "EACCES")) throw error;
    throw missingTool("Cannot compress layer", "zstd", error);
  }
}

/** Settles when the program has ended and `output` has taken its last byte. */
async function pump({ stdout, exited }: ChildProcess, output: ChunkSink): Promise<void> {
  for await (const chunk of stdout as Readable) await output(chunk as Uint8Array);
  const { exitCode, signal } = await exited;
  if (exitCode === 0) return;
  throw new TbuildError("resource_exhausted", `Cannot compress layer: zstd ended with ${signal ?? `exit code ${exitCode}`}`);
}

function writeTo(stream: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
