import { parseSize } from "../../cache/parseSize.js";
import type { Attrs } from "../exporter/attrs.js";

/** Which cache mounts go into a cache, by the ids that people know. */
export interface MountOptions {
  /** Null: all that steps of the build mount. */
  readonly only: ReadonlySet<string> | null;
  readonly except: ReadonlySet<string>;
  /** A mount with more bytes stays here. */
  readonly maxBytes: number;
}

const DEFAULT_MAX_BYTES = 2e9;

/** `mounts=true`, `mounts=npm;go`, `mounts=!go`, and `mounts-max-size=2GB`; null when no mounts are asked for. @throws {TbuildError} invalid_argument */
export function readMountOptions(attrs: Attrs): MountOptions | null {
  const text = attrs.text("mounts") ?? "false";
  const size = attrs.text("mounts-max-size");
  const maxBytes = size === undefined ? DEFAULT_MAX_BYTES : parseSize(size);
  if (maxBytes === null || maxBytes === 0) throw attrs.invalid("mounts-max-size", 'a size such as "2GB"');
  if (/^(?:false|f|0)$/i.test(text)) return null;
  if (/^(?:true|t|1|)$/i.test(text)) return { only: null, except: new Set(), maxBytes };
  const ids = text.split(";").filter((id) => id !== "");
  if (ids.length === 0 || ids.includes("!")) throw attrs.invalid("mounts", 'true, false or ids of cache mounts such as "npm;go" or "!npm"');
  const only = ids.filter((id) => !id.startsWith("!"));
  const except = ids.flatMap((id) => (id.startsWith("!") ? [id.slice(1)] : []));
  return { only: only.length === 0 ? null : new Set(only), except: new Set(except), maxBytes };
}
