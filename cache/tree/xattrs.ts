import { createHash } from "node:crypto";
import { readXattrs } from "../diff/xattrs.js";
import { isErrno } from "../sys/libc.js";
import { lsetxattr } from "../sys/xattr.js";
import { osPath } from "./names.js";

/**
 * Copies extended attributes, overlayfs's own excepted, as far as the file system and our rights allow: BuildKit goes on
 * without them, too. Byte string paths.
 */
export function copyXattrs(from: string, to: string): void {
  for (const [name, value] of readXattrs(from)) {
    try {
      lsetxattr(osPath(to), osPath(name), value);
    } catch (error) {
      if (!isErrno(error, "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES")) throw error;
    }
  }
}

/** sha256 over those attributes that are part of a content checksum (file capabilities and user.*), or null for none. */
export function hashXattrs(path: string): Buffer | null {
  const all = readXattrs(path);
  const names = [...all.keys()].filter((name) => name === "security.capability" || name.startsWith("user.")).sort();
  if (names.length === 0) return null;
  const hash = createHash("sha256");
  for (const name of names) {
    const value = all.get(name)!;
    hash.update(`${name.length} ${value.length}\0`).update(name, "latin1").update(value);
  }
  return hash.digest();
}
