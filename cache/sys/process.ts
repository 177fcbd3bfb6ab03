import fs from "node:fs";
import net from "node:net";
import type { Readable, Writable } from "node:stream";
import { pipePair } from "./pipe.js";
import { posixSpawn } from "./posixSpawn.js";
import { sendSignal, waitForChild } from "./reaper.js";
import type { ExitStatus } from "./reaper.js";

/** Where a standard stream of a child goes: nowhere, to a pipe, or to an open file descriptor (which stays ours). */
export type ChildStream = "ignore" | "pipe" | number;

/** What to start. */
export interface SpawnOptions {
  /** `argv[0]` is looked up in this process's PATH unless it holds a slash. */
  readonly argv: readonly string[];
  /** Complete environment as `NAME=value`; nothing is inherited. */
  readonly env: readonly string[];
  readonly cwd?: string | undefined;
  /** Default "ignore". */
  readonly stdin?: ChildStream | undefined;
  readonly stdout?: ChildStream | undefined;
  readonly stderr?: ChildStream | undefined;
  /** True: the child leads a session of its own, out of reach of the terminal's signals. */
  readonly setsid?: boolean | undefined;
}

/** A started process. Its pipes are closed by reading to the end or destroying them. */
export interface ChildProcess {
  readonly pid: number;
  /** Not null where "pipe" was asked for. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles when the process has ended; its output may still be waiting in the pipes. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal; false when the process has already ended. */
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * Starts a process by posix_spawn, which costs the same however large this process is (child_process forks: tens of
 * milliseconds with a few hundred MB of heap). The child gets the three standard streams and no other descriptor, default
 * signal handling and an empty signal mask.
 *
 * @throws {SystemError} ENOENT, EACCES and the like when the program cannot be started
 */
export function spawnProcess(options: SpawnOptions): ChildProcess {
  const streams = openStreams(options);
  try {
    const pid = posixSpawn(options, [streams[0].child, streams[1].child, streams[2].child]);
    return childProcess(pid, streams);
  } catch (error) {
    for (const stream of streams) if (stream.parent !== null) fs.closeSync(stream.parent);
    throw error;
  } finally {
    for (const stream of streams) if (stream.owned) fs.closeSync(stream.child);
  }
}

function childProcess(pid: number, [stdin, stdout, stderr]: StreamEnds): ChildProcess {
  const exited = waitForChild(pid);
  return {
    pid,
    stdin: stdin.parent === null ? null : new net.Socket({ fd: stdin.parent, readable: false, writable: true }),
    stdout: readEnd(stdout),
    stderr: readEnd(stderr),
    exited,
    kill: (signal) => sendSignal(pid, signal),
  };
}

function readEnd(stream: StreamEnd): Readable | null {
  return stream.parent === null ? null : new net.Socket({ fd: stream.parent, readable: true, writable: false });
}

interface StreamEnd {
  readonly child: number;
  /** Our end of a pipe. */
  readonly parent: number | null;
  /** True when we opened `child`. */
  readonly owned: boolean;
}

type StreamEnds = readonly [StreamEnd, StreamEnd, StreamEnd];

function openStreams(options: SpawnOptions): StreamEnds {
  return [
    openStream(options.stdin ?? "ignore", "r"),
    openStream(options.stdout ?? "ignore", "w"),
    openStream(options.stderr ?? "ignore", "w"),
  ];
}

// `access` is what the child does with the stream.
function openStream(stream: ChildStream, access: "r" | "w"): StreamEnd {
  if (typeof stream === "number") return { child: stream, parent: null, owned: false };
  if (stream === "ignore") return { child: fs.openSync("/dev/null", access), parent: null, owned: true };
  const pipe = pipePair();
  const [child, parent] = access === "r" ? [pipe.read, pipe.write] : [pipe.write, pipe.read];
  return { child, parent, owned: true };
}
