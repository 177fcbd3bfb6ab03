/**
 * File names are bytes. Inside this folder a path is a "byte string": one character (0–255) per byte, so that names
 * that are not UTF-8 survive, and plain comparison is byte order. {@link toText} is for patterns and messages only.
 */

const beyondAscii = /[\x80-\uffff]/;

/** The byte string of `text`'s UTF-8 form. */
export function toBytes(text: string): string {
  return beyondAscii.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** What a byte string says as UTF-8; a byte that is not UTF-8 becomes U+FFFD. */
export function toText(bytes: string): string {
  return beyondAscii.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** The path as `node:fs` takes it without changing a byte: text where that is the same bytes, which is faster. */
export function osPath(bytes: string): string | Buffer {
  return beyondAscii.test(bytes) ? Buffer.from(bytes, "latin1") : bytes;
}

/** Joins a directory ("" is the root) and a name or relative path ("" is the directory itself). */
export function joinPath(dir: string, name: string): string {
  if (dir === "" || name === "") return dir + name;
  return dir.endsWith("/") ? dir + name : `${dir}/${name}`;
}

/** Everything before the last "/", or "" for a top-level name. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at);
}

/** Everything after the last "/". */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * The components of a path below some root: "." and empty ones dropped, ".." taken lexically and clamped to the root,
 * as Go's `filepath.Join("/", path)` does.
 */
export function componentsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}
