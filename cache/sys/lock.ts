import fs from "node:fs";
import { checked, isErrno, libc } from "./libc.js";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

const flock = libc("int flock(int fd, int operation)");

/** Alone, or with others who share. */
export type LockMode = "exclusive" | "shared";

/** A lock of this process, held until disposed or until the process dies. Disposing twice is harmless. */
export interface Lock extends Disposable {
  readonly path: string;
}

/**
 * Takes the lock on a file, which is created when missing, or returns null while anybody holds it: another process, or an
 * earlier call of this one. Child processes do not inherit it. The file stays after the lock is gone,
 * because deleting it would let two holders lock two different files of one name. Many may share a lock, but not with one
 * who has it alone. A directory must be there.
 */
export function tryLock(path: string, mode: LockMode = "exclusive", what: "file" | "directory" = "file"): Lock | null {
  const { O_RDONLY, O_RDWR, O_CREAT, O_DIRECTORY } = fs.constants;
  const fd = fs.openSync(path, what === "file" ? O_RDWR | O_CREAT : O_RDONLY | O_DIRECTORY, 0o600);
  try {
    checked(flock(fd, (mode === "shared" ? LOCK_SH : LOCK_EX) | LOCK_NB), "flock", path);
  } catch (error) {
    fs.closeSync(fd);
    if (isErrno(error, "EAGAIN", "EWOULDBLOCK")) return null;
    throw error;
  }
  return heldBy(fd, path);
}

function heldBy(fd: number, path: string): Lock {
  let open = true;
  return {
    path,
    [Symbol.dispose]() {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
}
