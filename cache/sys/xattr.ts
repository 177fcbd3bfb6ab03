import { checked, cString, isErrno, libc } from "./libc.js";
import type { Path } from "./libc.js";

// The kernel's limit of a value and of a list of names; one buffer per thread spares the call that asks for the size.
const MAX_BYTES = 65536;
let scratch: Buffer | undefined;

const native = {
  get: libc("long lgetxattr(const void *path, const void *name, void *value, ulong size)"),
  set: libc("int lsetxattr(const void *path, const void *name, const void *value, ulong size, int flags)"),
  list: libc("long llistxattr(const void *path, void *list, ulong size)"),
  remove: libc("int lremovexattr(const void *path, const void *name)"),
};

/** The value of an extended attribute, or null when the file has none of this name. Symlinks are not followed. */
export function lgetxattr(path: Path, name: Path): Buffer | null {
  const buffer = (scratch ??= Buffer.allocUnsafeSlow(MAX_BYTES));
  try {
    const size = checked(native.get(cString(path), cString(name), buffer, MAX_BYTES), "lgetxattr", path);
    return Buffer.from(buffer.subarray(0, size));
  } catch (error) {
    if (isErrno(error, "ENODATA", "ENOTSUP", "EOPNOTSUPP")) return null;
    throw error;
  }
}

/** Creates or replaces an extended attribute. Symlinks are not followed. */
export function lsetxattr(path: Path, name: Path, value: Uint8Array): void {
  checked(native.set(cString(path), cString(name), value, value.length, 0), "lsetxattr", path);
}

/** Names in the kernel's order, without the terminating NUL; empty where the file system has no attributes. */
export function llistxattr(path: Path): Buffer[] {
  const buffer = (scratch ??= Buffer.allocUnsafeSlow(MAX_BYTES));
  try {
    const size = checked(native.list(cString(path), buffer, MAX_BYTES), "llistxattr", path);
    return size === 0 ? [] : splitNames(Buffer.from(buffer.subarray(0, size)));
  } catch (error) {
    if (isErrno(error, "ENOTSUP", "EOPNOTSUPP")) return [];
    throw error;
  }
}

/** Removes an extended attribute. Throws ENODATA when there is none. */
export function lremovexattr(path: Path, name: Path): void {
  checked(native.remove(cString(path), cString(name)), "lremovexattr", path);
}

function splitNames(list: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start);
    names.push(list.subarray(start, end));
    start = end + 1;
  }
  return names;
}
