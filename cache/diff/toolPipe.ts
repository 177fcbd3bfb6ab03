import fs from "node:fs";
import type { Compression } from "../bulk/layerJobs.js";
import { TbuildError } from "../errors.js";
import { checked, isErrno, libc } from "../sys/libc.js";
import { pipePair } from "../sys/pipe.js";
import { posixSpawn } from "../sys/posixSpawn.js";
import type { ChunkSource } from "./byteStream.js";
import { damagedStream } from "./errors.js";

/** Output of a decompressing program, read synchronously. Disposing closes the pipe, which ends the program. */
export interface ToolPipe extends Disposable {
  readonly read: ChunkSource;
}

const tools = { gzip: "gzip", zstd: "zstd", bzip2: "bzip2", xz: "xz" } as const;

const CHUNK = 256 * 1024;
const GZIP_WARNING = 2;

// Blocking: the thread runs a synchronous job and would not see an exit event before its end.
const waitpid = libc("int waitpid(int pid, void *status, int options)");

// A pipe's descriptors are not of Node's making: closing them through it makes worker threads print warnings.
const close = libc("int close(int fd)");

/**
 * Starts the program for a compression with the open file `fd` as its input.
 * @throws {TbuildError} unsupported when it is not installed
 */
export function readThroughTool(fd: number, compression: Exclude<Compression, "none">): ToolPipe {
  const tool = tools[compression];
  const pipe = pipePair();
  const pid = startTool(tool, fd, pipe);
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  let running = true;

  function end(): number {
    running = false;
    close(pipe.read);
    return exitOf(pid);
  }

  function read(): Buffer | null {
    if (!running) return null;
    const length = fs.readSync(pipe.read, chunk, 0, CHUNK, null);
    if (length > 0) return chunk.subarray(0, length);
    const status = end();
    const warned = compression === "gzip" && status === GZIP_WARNING << 8;
    if (status !== 0 && !warned) throw damagedStream(`${tool} does not accept the data`);
    return null;
  }

  return { read, [Symbol.dispose]: () => void (running && end()) };
}

function startTool(tool: string, fd: number, pipe: { readonly read: number; readonly write: number }): number {
  const nowhere = fs.openSync("/dev/null", "w");
  try {
    return posixSpawn({ argv: [tool, "-dc"], env: toolEnv() }, [fd, pipe.write, nowhere]);
  } catch (error) {
    close(pipe.read);
    if (!isErrno(error, "ENOENT", "EACCES")) throw error;
    throw missingTool("Cannot decompress archive", tool, error);
  } finally {
    close(pipe.write);
    fs.closeSync(nowhere);
  }
}

/** The environment of this process, for a program that it starts. */
export function toolEnv(): readonly string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`);
}

/** The program for a compression is not there; `what` says what was tried. */
export function missingTool(what: string, tool: string, cause: unknown): TbuildError {
  return new TbuildError("unsupported", `${what}: the program "${tool}" is not installed`, {
    hint: `Install ${tool} (for example: apt install ${tool === "xz" ? "xz-utils" : tool})`,
    cause,
  });
}

/** Wait status of the program, which has closed its output or will get SIGPIPE. */
function exitOf(pid: number): number {
  const status = new Int32Array(1);
  for (;;) {
    try {
      checked(waitpid(pid, status, 0), "waitpid");
      return status[0]!;
    } catch (error) {
      if (!isErrno(error, "EINTR")) throw error;
    }
  }
}
