import fs from "node:fs";
import net from "node:net";
import { Readable } from "node:stream";
import { openConsole } from "../../../cache/sys/console.js";
import { pipePair } from "../../../cache/sys/pipe.js";

/** The standard streams of a process, and our ends of them. Disposing closes what is open. */
export interface ProcessStreams extends Disposable {
  /** Descriptors for the process. */
  readonly child: readonly [number, number, number];
  /** What it writes, of those streams that were asked for. */
  readonly outputs: readonly { readonly fd: number; readonly output: AsyncIterable<Uint8Array> }[];
  /** Gives bytes to its standard input; `eof` closes that, but for a terminal. */
  write(bytes: Uint8Array, eof: boolean): void;
  /** For a terminal only. */
  resize(rows: number, columns: number): void;
  /** The process has its descriptors; ours of them are closed. */
  started(): void;
  /** The process has ended: so do its outputs, once all is read. */
  ended(): void;
}

/** Streams for a process: pipes for those of `fds`, nothing for the others, or a terminal for all. */
export function openStreams(tty: boolean, fds: readonly number[]): ProcessStreams {
  return tty ? terminal(fds) : pipes(fds);
}

/** What a terminal shows is the standard output. */
function terminal(fds: readonly number[]): ProcessStreams {
  const console = openConsole();
  const outputs = fds.filter((fd) => fd !== 0).map((fd) => ({ fd, output: fd === 1 ? console.output : Readable.from([]) }));
  return {
    child: [console.fd, console.fd, console.fd],
    outputs,
    write(bytes, eof) {
      if (bytes.length > 0) console.write(bytes);
      if (eof) console.write(END_OF_TRANSMISSION);
    },
    resize: (rows, columns) => console.resize(rows, columns),
    started: () => {},
    ended: () => console.ended(),
    [Symbol.dispose]: () => console[Symbol.dispose](),
  };
}

const END_OF_TRANSMISSION = Buffer.from([4]);

function pipes(fds: readonly number[]): ProcessStreams {
  const input = fds.includes(0) ? pipePair() : null;
  const pairs = [1, 2].map((fd) => (fds.includes(fd) ? { fd, ...pipePair() } : null));
  const nothing = fs.openSync("/dev/null", "r+");
  const child = [input?.read ?? nothing, pairs[0]?.write ?? nothing, pairs[1]?.write ?? nothing] as const;
  const stdin = input === null ? null : new net.Socket({ fd: input.write, readable: false, writable: true });
  // A process that does not read its input any more is no failure.
  stdin?.on("error", () => {});
  const outputs = pairs.flatMap((pair) => (pair === null ? [] : [{ fd: pair.fd, output: readEnd(pair.read) }]));
  let open = true;
  const started = () => {
    if (open) for (const fd of new Set([...child, nothing])) fs.closeSync(fd);
    open = false;
  };
  return {
    child,
    outputs,
    write(bytes, eof) {
      if (bytes.length > 0 && stdin?.writable === true) stdin.write(bytes);
      if (eof) stdin?.end();
    },
    resize: () => {},
    started,
    ended: () => {},
    [Symbol.dispose]() {
      started();
      stdin?.destroy();
      for (const { output } of outputs) output.destroy();
    },
  };
}

function readEnd(fd: number): net.Socket {
  return new net.Socket({ fd, readable: true, writable: false });
}
