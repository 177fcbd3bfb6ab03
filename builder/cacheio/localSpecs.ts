import { type Digest, parseDigest } from "../../cache/oci/digest.js";
import type { Attrs } from "../exporter/attrs.js";
import type { LocalOptions } from "./localCache.js";

/** `type=local,src=…` taken apart. */
export interface LocalImport {
  /** As it was given. */
  readonly dir: string;
  readonly tag: string;
  /** Named instead of the tag; null when it was not. */
  readonly digest: Digest | null;
}

/** Reads the attributes of `--cache-from type=local`. @throws {TbuildError} invalid_argument */
export function readLocalImport(attrs: Attrs): LocalImport {
  const dir = attrs.required("src", "Write type=local,src=DIRECTORY");
  const digest = attrs.text("digest");
  return { dir, tag: attrs.text("tag") ?? "latest", digest: digest === undefined ? null : parseDigest(digest) };
}

/** `type=local,dest=…` taken apart. */
export interface LocalExport extends Pick<LocalOptions, "tag" | "keep"> {
  /** As it was given. */
  readonly dir: string;
}

/** Reads the attributes of `--cache-to type=local` that other exports do not have. @throws {TbuildError} invalid_argument */
export function readLocalExport(attrs: Attrs): LocalExport {
  const dir = attrs.required("dest", "Write type=local,dest=DIRECTORY");
  return { dir, tag: attrs.text("tag") ?? "latest", keep: attrs.bool("reset", false) ? "reset" : "merge" };
}
