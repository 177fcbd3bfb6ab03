import fs from "node:fs";
import { ReadStream } from "node:tty";
import type { Readable } from "node:stream";
import { checked, libc } from "./libc.js";

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCSWINSZ = 0x5414;

const openFile = libc("int open(const void *path, int flags, uint mode)");
const ioctl = libc("int ioctl(int fd, ulong request, void *argument)");

/** A terminal whose other end is ours. */
export interface Console extends Disposable {
  /** The end that a process gets; closed by {@link Console.started}. */
  readonly fd: number;
  /** What processes write, until the last one has closed the terminal. */
  readonly output: Readable;
  /** Types. */
  write(bytes: Uint8Array): void;
  resize(rows: number, columns: number): void;
  /** The processes have their end; ours of it is not needed any more. */
  started(): void;
}

/** A new pseudo terminal that is nobody's controlling terminal; no child inherits our end. */
export function openConsole(): Console {
  const own = openTerminal("/dev/ptmx");
  const number = Buffer.alloc(4);
  checked(ioctl(own, TIOCGPTN, number), "ioctl");
  checked(ioctl(own, TIOCSPTLCK, Buffer.alloc(4)), "ioctl");
  let fd: number | null = openTerminal(`/dev/pts/${number.readUInt32LE()}`);
  const other = fd;
  const output = new ReadStream(own);
  const started = () => {
    if (fd !== null) fs.closeSync(fd);
    fd = null;
  };
  return {
    fd: other,
    output: untilHangup(output),
    write: typist(own, output),
    resize(rows, columns) {
      const size = Buffer.alloc(8);
      size.writeUInt16LE(Math.min(rows, 0xffff), 0);
      size.writeUInt16LE(Math.min(columns, 0xffff), 2);
      checked(ioctl(own, TIOCSWINSZ, size), "ioctl");
    },
    started,
    [Symbol.dispose]() {
      started();
      output.destroy();
    },
  };
}

function openTerminal(path: string): number {
  return checked(openFile(Buffer.from(`${path}\0`), O_RDWR | O_NOCTTY | O_CLOEXEC, 0), "open", path);
}

/** The kernel tells our end by an error that nobody has the other one any more. */
function untilHangup(stream: ReadStream): ReadStream {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EIO") stream.push(null);
  });
  return stream;
}

/** How often a full terminal is tried again, in ms. */
const RETRY = 10;

/** Writes in order. A terminal takes a few KB that nobody reads; the rest waits. */
function typist(fd: number, stream: Readable): (bytes: Uint8Array) => void {
  let waiting: Buffer = Buffer.alloc(0);
  let timer: NodeJS.Timeout | null = null;
  const type = () => {
    timer = null;
    if (stream.destroyed) return;
    waiting = waiting.subarray(written(fd, waiting));
    if (waiting.length > 0) timer = setTimeout(type, RETRY);
  };
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    if (timer === null) type();
  };
}

/** How many bytes the terminal took, which is all once nobody has it any more. */
function written(fd: number, bytes: Uint8Array): number {
  let at = 0;
  try {
    while (at < bytes.length) at += fs.writeSync(fd, bytes, at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EIO") return bytes.length;
    if (code !== "EAGAIN") throw error;
  }
  return at;
}
