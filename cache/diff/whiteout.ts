import { cannotUnpack } from "./errors.js";

/** Prefix of names that take something away. Source: OCI image-spec, layer.md "Whiteouts" */
export const WHITEOUT_PREFIX = ".wh.";
const META_PREFIX = ".wh..wh.";

/** Name of the entry that hides everything of lower layers in its directory. */
export const OPAQUE_NAME = ".wh..wh..opq";

/** What the last component of an entry's name asks for. */
export type Whiteout =
  | { readonly kind: "none" }
  /** Removes `name` of lower layers. */
  | { readonly kind: "remove"; readonly name: string }
  /** Removes all that lower layers have in the directory. */
  | { readonly kind: "opaque" }
  /** Bookkeeping of aufs. */
  | { readonly kind: "ignore" };

/** True for a directory of aufs's own, whose content means nothing here. */
export function isBookkeeping(name: string): boolean {
  return name.startsWith(META_PREFIX) && name !== OPAQUE_NAME;
}

/** Reads a whiteout's name. @throws {TbuildError} parse_failed when it would name the directory itself or its parent */
export function parseWhiteout(base: string): Whiteout {
  if (!base.startsWith(WHITEOUT_PREFIX)) return { kind: "none" };
  if (base === OPAQUE_NAME) return { kind: "opaque" };
  if (isBookkeeping(base)) return { kind: "ignore" };
  const name = base.slice(WHITEOUT_PREFIX.length);
  if (name === "" || name === "." || name === "..") throw cannotUnpack("parse_failed", base, "the whiteout names no file");
  return { kind: "remove", name };
}
