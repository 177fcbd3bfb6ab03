import { closeSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { hasCode } from "./errors.js";
import { openOverlay } from "./snapshot/openOverlay.js";

/** True when this process can mount a writable overlay with directories of the file system of `scratch`, a directory. */
export function probeOverlay(scratch: string): boolean {
  const dir = path.join(scratch, "probe");
  const at = (name: string) => path.join(dir, name);
  for (const name of ["lower", "upper", "work"]) mkdirSync(at(name), { recursive: true });
  try {
    closeSync(openOverlay({ type: "overlay", lower: [at("lower")], upper: at("upper"), work: at("work") }));
    return true;
  } catch (error) {
    if (hasCode(error, "unsupported") || hasCode(error, "permission_denied")) return false;
    throw error;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
