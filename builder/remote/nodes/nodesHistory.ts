import type { Opts } from "../../../cache/content/store.js";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import type { BuildHistory } from "../../history/buildHistory.js";
import { builderPlace } from "../place.js";
import { openHistory, type RemoteHistory } from "../remoteHistory.js";
import type { BuilderNode } from "./node.js";

/**
 * What those nodes of a builder that answer remember, each of its own builds; of the others `onSilent` hears why. Disposing
 * closes the connections. @throws {TbuildError} unavailable, unauthorized when none answers
 */
export async function openNodesHistory(nodes: readonly BuilderNode[], onSilent: (name: string, why: unknown) => void, opts: Opts): Promise<RemoteHistory> {
  const opened = await Promise.allSettled(nodes.map(async ({ address, tls }) => await openHistory(builderPlace(address, tls), opts)));
  const histories = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const silent = opened.flatMap((one, index) => (one.status === "rejected" ? [{ name: nodes[index]!.name, why: one.reason as unknown }] : []));
  if (histories.length === 0) throw silent[0]?.why;
  for (const { name, why } of silent) onSilent(name, why);
  if (nodes.length === 1) return histories[0]!;
  return { ...joinedHistory(`The builder of ${nodes.length} nodes`, histories), [Symbol.dispose]: () => histories.forEach((history) => history[Symbol.dispose]()) };
}

/** Several histories as one of this name. */
function joinedHistory(name: string, histories: readonly BuildHistory[]): BuildHistory {
  async function ownerOf(ref: string, opts: Opts): Promise<BuildHistory> {
    const found = await Promise.all(histories.map(async (history) => (await history.list(opts)).some((record) => record.ref === ref)));
    const owner = histories[found.indexOf(true)];
    if (owner === undefined) throw new TbuildError("not_found", `Cannot find the build "${ref}": no node remembers it`);
    return owner;
  }
  return {
    name,
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
