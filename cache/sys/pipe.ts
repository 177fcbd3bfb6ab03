import { checked, libc } from "./libc.js";

const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const AF_UNIX = 1;
const SOCK_STREAM = 1;

const pipe2 = libc("int pipe2(void *fds, int flags)");
const socketpair = libc("int socketpair(int domain, int type, int protocol, void *fds)");
const fcntl = libc("int fcntl(int fd, int command, long argument)");

/** Both ends of a new pipe; no child inherits them. The caller closes both. */
export function pipePair(): { readonly read: number; readonly write: number } {
  const fds = new Int32Array(2);
  checked(pipe2(fds, O_CLOEXEC), "pipe2");
  const [read = -1, write = -1] = fds;
  return { read, write };
}

/** Both ends of a new connection; no child inherits them. The caller closes both. */
export function socketPair(): readonly [number, number] {
  const fds = new Int32Array(2);
  checked(socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, fds), "socketpair");
  const [a = -1, b = -1] = fds;
  return [a, b];
}

/** A copy of a descriptor with a number above the standard streams; no child inherits it. The caller closes it. */
export function duplicate(fd: number): number {
  return checked(fcntl(fd, F_DUPFD_CLOEXEC, 3), "fcntl");
}

/** Makes reads and writes of an open descriptor wait, for all processes that share it; one that is closed is left as it is. */
export function setBlocking(fd: number): void {
  const flags = fcntl(fd, F_GETFL, 0);
  if (flags >= 0 && (flags & O_NONBLOCK) !== 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}
