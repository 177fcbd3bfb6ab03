import { posix } from "node:path";

/** Nearly every path: no part is empty or begins with a dot. */
const surelyClean = /^\/?(?:[^/.][^/]*\/)*[^/.][^/]*$/;

/** The shortest equal path, without a slash at the end. Source: Go's path.Clean, on which LLB paths rest. */
export function cleanPath(path: string): string {
  if (surelyClean.test(path)) return path;
  const normal = posix.normalize(path === "" ? "." : path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** A path below the root: "/" in front, ".." cannot leave. */
export function rootedPath(path: string): string {
  return cleanPath(`/${path}`);
}

/** Destination of COPY and ADD: relative to `dir`; a slash or "/." at the end is kept, as it says "into a directory". */
export function destPath(dir: string, path: string): string {
  const word = path === "" || path === "." ? "./" : path;
  const clean = rootedPath(word.startsWith("/") ? word : `${dir}/${word}`);
  if (word.endsWith("/")) return clean === "/" ? "/" : `${clean}/`;
  if (word.endsWith("/.")) return clean === "/" ? "/." : `${clean}/.`;
  return clean;
}
