import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { TbuildError } from "./errors.js";
import type { StoreLayout } from "./layout.js";

/** Number of the on-disk format that this program writes, and the newest one that it reads. */
const FORMAT = 1;

/** What is fixed for the life of a store: its snapshots can only be read by the snapshotter that wrote them. */
export interface StoreFormat {
  readonly format: number;
  readonly snapshotter: "overlay" | "copy";
}

/** The format of the store, or null when it is new. @throws {TbuildError} unsupported, corrupt */
export function readFormat({ root, version }: StoreLayout): StoreFormat | null {
  const text = readIfThere(version);
  if (text === null) return null;
  const found = parseFormat(text);
  if (found === null) throw new TbuildError("corrupt", `Cannot open store "${root}": its file "version" is damaged`);
  if (found.format > FORMAT) {
    const message = `Cannot open store "${root}": its format ${found.format} is newer than ${FORMAT}`;
    throw new TbuildError("unsupported", message, { hint: "Use a newer tbuild, or another --root" });
  }
  return found;
}

/**
 * Fixes the format of a new store; returns what it is, which another process may have fixed first. `unique` is the path
 * of a file that nobody else writes.
 */
export function fixFormat(layout: StoreLayout, snapshotter: StoreFormat["snapshotter"], unique: string): StoreFormat {
  const format = { format: FORMAT, snapshotter };
  writeFileSync(unique, JSON.stringify(format), { mode: 0o600, flush: true });
  try {
    linkSync(unique, layout.version);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(unique);
  }
  return readFormat(layout) ?? format;
}

function parseFormat(text: string): StoreFormat | null {
  try {
    const { format, snapshotter } = JSON.parse(text) as Partial<StoreFormat>;
    const known = snapshotter === "overlay" || snapshotter === "copy";
    return typeof format === "number" && (known || format > FORMAT) ? { format, snapshotter: snapshotter ?? "copy" } : null;
  } catch {
    return null;
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
