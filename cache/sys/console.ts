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
const FIONREAD = 0x541b;

const openFile = libc("int open(const void *path, int flags, uint mode)");
const ioctl = libc("int ioctl(int fd, ulong request, void *argument)");

/** A terminal whose other end is ours. */
export interface Console extends Disposable {
  /** The end that processes get, which stays open. */
  readonly fd: number;
  /** What processes write; it ends after {@link Console.ended}. */
  readonly output: Readable;
  /** Types. */
  write(bytes: Uint8Array): void;
  resize(rows: number, columns: number): void;
  /** Nobody writes any more. */
  ended(): void;
}

/** A new pseudo terminal that is nobody's controlling terminal; no child inherits our end. */
export function openConsole(): Console {
  const own = openTerminal("/dev/ptmx");
  const number = Buffer.alloc(4);
  checked(ioctl(own, TIOCGPTN, number), "ioctl");
  checked(ioctl(own, TIOCSPTLCK, Buffer.alloc(4)), "ioctl");
  const fd = openTerminal(`/dev/pts/${number.readUInt32LE()}`);
  const output = new ReadStream(own);
  return {
    fd,
    output,
    write: typist(own, output),
    resize(rows, columns) {
      const size = Buffer.alloc(8);
      size.writeUInt16LE(Math.min(rows, 0xffff), 0);
      size.writeUInt16LE(Math.min(columns, 0xffff), 2);
      checked(ioctl(own, TIOCSWINSZ, size), "ioctl");
    },
    ended: () => endWhenRead(own, output),
    [Symbol.dispose]() {
      output.destroy();
      fs.closeSync(fd);
    },
  };
}

function openTerminal(path: string): number {
  return checked(openFile(Buffer.from(`${path}\0`), O_RDWR | O_NOCTTY | O_CLOEXEC, 0), "open", path);
}

/**
 * Had we closed our copy of the other end, the kernel would tell of the end by an error, upon which what was read and not yet
 * taken would be lost. What is written comes to our end a moment later, so that it is looked at twice.
 */
function endWhenRead(fd: number, output: ReadStream, wasEmpty = false): void {
  if (output.destroyed) return;
  const isEmpty = unread(fd) === 0;
  if (isEmpty && wasEmpty) output.push(null);
  else setTimeout(() => endWhenRead(fd, output, isEmpty), RETRY);
}

function unread(fd: number): number {
  const count = Buffer.alloc(4);
  checked(ioctl(fd, FIONREAD, count), "ioctl");
  return count.readInt32LE();
}

/** How often a terminal is looked at again that was full, or may be empty, in ms. */
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
