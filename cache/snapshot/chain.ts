import type { Snapshotter } from "./snapshotter.js";

/** Names of a snapshot and its parents, lowest first; null is the empty tree and has none. @throws {TbuildError} not_found */
export async function snapshotChain(snapshots: Snapshotter, name: string | null): Promise<readonly string[]> {
  const chain: string[] = [];
  for (let at = name; at !== null; at = (await snapshots.stat(at)).parent) chain.push(at);
  return chain.reverse();
}
