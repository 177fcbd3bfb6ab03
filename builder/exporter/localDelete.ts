import { realpathSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { readAttrs } from "./attrs.js";
import type { ExportSpec } from "./exporter.js";
import { readLocalMode } from "./rootfs.js";

/** Entitlement to remove files of the user's outside the current directory; the name is Docker's. */
export const LOCAL_DELETE = "buildx.local.delete";

/**
 * Refuses `type=local,mode=delete` where it could remove more than the user thinks: not strictly below the current directory.
 * @throws {TbuildError} permission_denied, invalid_argument
 */
export function checkLocalDelete(specs: readonly ExportSpec[], allow: readonly string[]): void {
  if (allow.includes(LOCAL_DELETE)) return;
  for (const spec of specs.filter(({ type }) => type === "local")) {
    const dest = spec.attrs["dest"] ?? "";
    if (readLocalMode(readAttrs(spec)) === "copy" || isBelow(resolved(process.cwd()), resolved(dest))) continue;
    throw new TbuildError("permission_denied", `Cannot remove other files from "${dest}": it is not below the current directory`, {
      hint: `If nothing else is there that matters, allow it with --allow ${LOCAL_DELETE}`,
    });
  }
}

/** Without links, as far as it exists. */
function resolved(file: string): string {
  const absolute = path.resolve(file);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = path.dirname(absolute);
    return parent === absolute ? absolute : path.join(resolved(parent), path.basename(absolute));
  }
}

function isBelow(dir: string, file: string): boolean {
  const relative = path.relative(dir, file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`);
}
