import { isErrno } from "../sys/libc.js";
import { lgetxattr, llistxattr, lsetxattr } from "../sys/xattr.js";
import { cannotPack } from "./errors.js";
import { NO_XATTRS } from "./header.js";
import { fsPath } from "./rootPath.js";

/** True for what overlayfs notes in its own layers; it must never enter or leave a tar. */
export function isOverlayXattr(name: string): boolean {
  return name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.");
}

// A file or directory with one of these is only complete together with the layers below it.
const needsLower: ReadonlySet<string> = new Set(["trusted.overlay.redirect", "trusted.overlay.metacopy"]);

/** All extended attributes of a file (latin1 path) but overlayfs's own. Symlinks are not followed. */
export function readXattrs(path: string): ReadonlyMap<string, Buffer> {
  const names = llistxattr(fsPath(path));
  if (names.length === 0) return NO_XATTRS;
  const xattrs = new Map<string, Buffer>();
  for (const name of names) {
    const text = name.toString("latin1");
    if (needsLower.has(text)) throw cannotPack(path, `overlayfs left "${text}" on it`);
    if (isOverlayXattr(text)) continue;
    const value = lgetxattr(fsPath(path), name);
    if (value !== null) xattrs.set(text, value);
  }
  return xattrs;
}

/** Sets the attributes of a tar entry. Labels that this machine cannot hold are left out; nothing else is. */
export function writeXattrs(path: string, xattrs: ReadonlyMap<string, Buffer>): void {
  for (const [name, value] of xattrs) {
    if (isOverlayXattr(name)) continue;
    try {
      lsetxattr(fsPath(path), fsPath(name), value);
    } catch (error) {
      if (name !== "security.selinux" || !isErrno(error, "ENOTSUP", "EOPNOTSUPP")) throw error;
    }
  }
}

const opaqueMarks: ReadonlySet<string> = new Set(["trusted.overlay.opaque", "user.overlay.opaque"]);

/** True when overlayfs marked a directory of an upper layer as hiding everything below it. */
export function isOpaque(path: string): boolean {
  // Asking for a name that is not there is slow (an exception), and most directories have none at all.
  const marks = llistxattr(fsPath(path)).filter((name) => opaqueMarks.has(name.toString("latin1")));
  return marks.some((name) => lgetxattr(fsPath(path), name)?.toString() === "y");
}
