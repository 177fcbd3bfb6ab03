import os from "node:os";
import path from "node:path";

/** Absolute path of the store's root: as given, else /var/lib/tbuild for root, else $XDG_DATA_HOME/tbuild. */
export function storeRoot(given: string | undefined): string {
  if (given !== undefined) return path.resolve(given);
  if (process.getuid?.() === 0) return "/var/lib/tbuild";
  return path.join(process.env["XDG_DATA_HOME"] ?? path.join(os.homedir(), ".local", "share"), "tbuild");
}
