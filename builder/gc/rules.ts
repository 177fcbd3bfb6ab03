import { statfsSync } from "node:fs";
import type { StoreRule } from "../../cache/collect.js";
import type { DiskSpace, GcConfig, GcPolicy, SpaceLimits } from "../config.js";
import { parseFilters } from "../daemon/filter.js";
import { hasLimits } from "./asks.js";
import { usageFields } from "./fields.js";

const HOUR_MS = 3_600_000;
const GB = 1e9;

/** What can be made again most easily. */
const EASY = ["type==source.local", "type==exec.cachemount", "type==source.git.checkout"];

/**
 * The policies of a worker in order, none when collection is turned off. Where the file has none they are BuildKit's, with the file's
 * limits or else those of {@link defaultLimits}. Source: BuildKit, cmd/buildkitd/config/gcpolicy.go
 */
export function gcPolicies({ gc, policies, limits }: GcConfig, root: string): readonly GcPolicy[] {
  if (!gc) return [];
  if (policies.length > 0) return policies;
  const space = hasLimits(limits) ? limits : defaultLimits(root);
  return [
    { all: false, filters: EASY, keepDurationMs: 48 * HOUR_MS, reserved: null, maxUsed: bytes(512e6), minFree: null },
    { all: false, filters: [], keepDurationMs: 60 * 24 * HOUR_MS, ...space },
    { all: false, filters: [], keepDurationMs: null, ...space },
    { all: true, filters: [], keepDurationMs: null, ...space },
  ];
}

/** 10 % of the disk, at most 10 GB, stay; no more than 80 %, at most 100 GB, are used; 20 % are left free. */
function defaultLimits(root: string): SpaceLimits {
  const atMost = (percent: number, most: number): DiskSpace => {
    const share: DiskSpace = { kind: "percent", percent };
    return spaceBytes(share, root) > most ? { kind: "bytes", bytes: most } : share;
  };
  return { reserved: atMost(10, 10 * GB), maxUsed: atMost(80, 100 * GB), minFree: { kind: "percent", percent: 20 } };
}

function bytes(count: number): DiskSpace {
  return { kind: "bytes", bytes: count };
}

/** Bytes of an amount on the file system of `root`; none is 0. Shares are rounded up to whole GB as in BuildKit. */
export function spaceBytes(space: DiskSpace | null, root: string): number {
  if (space === null) return 0;
  if (space.kind === "bytes") return space.bytes;
  if (space.percent === 0) return 0;
  const { blocks, bsize } = statfsSync(root);
  return (Math.floor((blocks * bsize * space.percent) / 100 / 2 ** 30) + 1) * GB;
}

/** Policies as rules about the store at `root`. @throws {TbuildError} invalid_argument for a filter */
export function gcRules(policies: readonly GcPolicy[], root: string): readonly StoreRule[] {
  return policies.map(({ filters, keepDurationMs, reserved, maxUsed, minFree }) => ({
    matches: filters.length === 0 ? null : matcher(filters),
    keepDurationMs: keepDurationMs ?? 0,
    reservedBytes: spaceBytes(reserved, root),
    maxUsedBytes: spaceBytes(maxUsed, root),
    minFreeBytes: spaceBytes(minFree, root),
  }));
}

function matcher(filters: readonly string[]): NonNullable<StoreRule["matches"]> {
  const lets = parseFilters(filters);
  return (record) => lets(usageFields(record));
}
