import { readdirSync, statSync, type Stats } from "node:fs";
import path from "node:path";
import { storeLayout } from "./layout.js";
import type { UsageRecord } from "./usage.js";

/**
 * What a store takes beside the things that {@link UsageRecord}s tell of: its database, locks, pins, directories and downloads that
 * have begun. Measured anew each time, in blocks; always in use. What running processes have in their scratch directories is not counted.
 */
export function metadataUsage(root: string): UsageRecord {
  const { content, snapshots, leases, cacheMounts, localCopies, mounts } = storeLayout(root);
  const blobs = path.join(content, "blobs");
  const whole = [leases, path.join(content, "ingest"), path.join(content, "locks")].map(treeBytes);
  const scratches = namesIn(mounts).map((name) => path.join(mounts, name));
  const alone = [content, blobs, path.join(blobs, "sha256"), snapshots, mounts, ...scratches].map(ownBytes);
  // The database is a file of the root. Of what users have there are directories, beside them what is known of each.
  const kept = [cacheMounts, localCopies].map((dir) => ownBytes(dir) + sum(namesIn(dir).map((key) => besideDirectories(path.join(dir, key)))));
  const size = sum([...whole, ...alone, ...kept, besideDirectories(root)]);
  const now = Date.now();
  const rest = { inUse: true, inImage: false, shared: false, needs: [], parent: null };
  return { id: "internal:metadata", type: "internal", size, createdAt: now, lastUsedAt: now, description: "metadata of the store", ...rest };
}

function besideDirectories(dir: string): number {
  return ownBytes(dir) + sum(namesIn(dir).map((name) => fileBytes(path.join(dir, name))));
}

function treeBytes(at: string): number {
  const stat = statOrNull(at);
  if (stat === null) return 0;
  return bytesOf(stat) + (stat.isDirectory() ? sum(namesIn(at).map((name) => treeBytes(path.join(at, name)))) : 0);
}

function fileBytes(at: string): number {
  const stat = statOrNull(at);
  return stat === null || stat.isDirectory() ? 0 : bytesOf(stat);
}

function ownBytes(at: string): number {
  const stat = statOrNull(at);
  return stat === null ? 0 : bytesOf(stat);
}

function bytesOf({ blocks }: Stats): number {
  return blocks * 512;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

// What goes while we look takes no space.
function statOrNull(at: string): Stats | null {
  return statSync(at, { throwIfNoEntry: false }) ?? null;
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
