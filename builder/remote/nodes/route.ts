import { TbuildError } from "../../../cache/errors.js";
import { formatPlatform, type Platform, platformScore } from "../../../cache/oci/platform.js";

/** What routing has to know of a node that answers. */
export interface RoutedNode {
  readonly name: string;
  /** Those that the user has given it. */
  readonly pinned: readonly Platform[];
  /** Those that it says it runs, its machine's own first. */
  readonly announced: readonly Platform[];
}

/** A node that does not answer. */
export interface DownNode {
  readonly name: string;
  readonly why: string;
}

/** What one node is to build. */
export interface Share<N> {
  readonly node: N;
  /** In the order asked for. */
  readonly platforms: readonly Platform[];
}

/**
 * Which node builds which platforms: the one that was given it, else one whose machine is of its kind, else one that emulates it. Of
 * equal ones the one with the least of this build, then the first. Pure. Shares are in the order of the nodes, and none is empty.
 * @throws {TbuildError} unavailable, or unsupported when all nodes answer, for a platform that no node builds
 */
export function route<N extends RoutedNode>(platforms: readonly Platform[], nodes: readonly N[], down: readonly DownNode[]): readonly Share<N>[] {
  const fits = platforms.map((platform) => ({ platform, fits: nodes.map((node) => fitOf(node, platform)) }));
  const shares = nodes.map((node) => ({ node, platforms: [] as Platform[] }));
  // Who has a machine of the kind has it before others emulate: those then see who is idle.
  const sorted = [...fits].sort((a, b) => best(b.fits) - best(a.fits));
  for (const { platform, fits: each } of sorted) {
    if (best(each) === 0) throw nowhere(platform, nodes, down);
    const able = shares.filter((_, index) => each[index] === best(each));
    able.sort((a, b) => a.platforms.length - b.platforms.length);
    able[0]!.platforms.push(platform);
  }
  const asked = (list: readonly Platform[]) => platforms.filter((platform) => list.includes(platform));
  return shares.filter((share) => share.platforms.length > 0).map((share) => ({ node: share.node, platforms: asked(share.platforms) }));
}

/** 0 is not at all. */
function fitOf({ pinned, announced }: RoutedNode, platform: Platform): number {
  if (runs(pinned, platform)) return 4;
  if (!runs(announced, platform)) return 0;
  const [own] = announced;
  if (own?.os !== platform.os) return 1;
  if (own.architecture === platform.architecture) return 3;
  return OFTEN_NATIVE[own.architecture] === platform.architecture ? 2 : 1;
}

/** Machines of the first kind mostly run programs of the second. */
const OFTEN_NATIVE: Readonly<Record<string, string>> = { amd64: "386", arm64: "arm" };

function runs(platforms: readonly Platform[], wanted: Platform): boolean {
  return platforms.some((platform) => platformScore(platform, wanted) > 0);
}

function best(fits: readonly number[]): number {
  return Math.max(0, ...fits);
}

function nowhere(platform: Platform, nodes: readonly RoutedNode[], down: readonly DownNode[]): TbuildError {
  const builds = nodes.map(({ name, pinned, announced }) => `"${name}" builds ${[...new Set([...pinned, ...announced].map(formatPlatform))].join(", ")}`);
  const silent = down.map(({ name, why }) => `"${name}" does not answer: ${why}`);
  const message = `Cannot build for ${formatPlatform(platform)}: no node ${down.length === 0 ? "runs it" : "that answers runs it"}`;
  return new TbuildError(down.length === 0 ? "unsupported" : "unavailable", message, { hint: [...builds, ...silent].join("; ") });
}
