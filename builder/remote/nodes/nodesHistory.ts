import type { Opts } from "../../../cache/content/store.js";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import type { BuildHistory } from "../../history/buildHistory.js";
import { builderPlace } from "../place.js";
import { openHistory, type RemoteHistory } from "../remoteHistory.js";
import type { BuilderNode } from "./node.js";

/**
 * What all nodes of a builder remember, each of its own builds. Disposing closes the connections. @throws {TbuildError} unavailable,
 * unauthorized for a node that does not answer
 */
export async function openNodesHistory(nodes: readonly BuilderNode[], opts: Opts): Promise<RemoteHistory> {
  const opened = await Promise.allSettled(nodes.map(async ({ address, tls }) => await openHistory(builderPlace(address, tls), opts)));
  const histories = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const close = () => histories.forEach((history) => history[Symbol.dispose]());
  const failed = opened.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    close();
    throw failed.reason;
  }
  const [only, another] = histories;
  return only !== undefined && another === undefined ? only : { ...joinedHistory(histories), [Symbol.dispose]: close };
}

/** Several histories as one. */
export function joinedHistory(histories: readonly BuildHistory[]): BuildHistory {
  async function ownerOf(ref: string, opts: Opts): Promise<BuildHistory> {
    const found = await Promise.all(histories.map(async (history) => (await history.list(opts)).some((record) => record.ref === ref)));
    const owner = histories[found.indexOf(true)];
    if (owner === undefined) throw new TbuildError("not_found", `Cannot find the build "${ref}": no node remembers it`);
    return owner;
  }
  return {
    name: `The builder of ${histories.length} nodes`,
    async list(opts) {
      const lists = await Promise.all(histories.map((history) => history.list(opts)));
      return lists.flat().sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
    },
    async *status(ref, opts) {
      yield* (await ownerOf(ref, opts)).status(ref, opts);
    },
    ended: async (ref, opts) => await (await ownerOf(ref, opts)).ended(ref, opts),
    async *read(digest, opts) {
      yield* await firstWith(histories, digest, opts);
    },
    remove: async (ref, opts) => await (await ownerOf(ref, opts)).remove(ref, opts),
  };
}

/** Blobs of records are small. */
async function firstWith(histories: readonly BuildHistory[], digest: string, opts: Opts): Promise<readonly Uint8Array[]> {
  for (const [index, history] of histories.entries()) {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of history.read(digest, opts)) chunks.push(chunk);
      return chunks;
    } catch (error) {
      if (index === histories.length - 1 || !hasCode(error, "not_found")) throw error;
    }
  }
  return [];
}
