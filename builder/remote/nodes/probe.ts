import type { Opts } from "../../../cache/content/store.js";
import type { Platform } from "../../../cache/oci/platform.js";
import { controlService } from "../../api/control.js";
import type { WorkerRecord } from "../../api/worker.js";
import { openConnection } from "../connection.js";
import { builderPlace } from "../place.js";
import type { BuilderNode } from "./node.js";

/** A node, and what it says of itself; or why it says nothing. */
export type NodeState =
  | { readonly kind: "up"; readonly node: BuilderNode; readonly worker: WorkerRecord }
  | { readonly kind: "down"; readonly node: BuilderNode; readonly why: string };

/** What a worker says that it runs. As messages have it, what is not said is empty. */
export function announcedPlatforms({ platforms }: Pick<WorkerRecord, "platforms">): readonly Platform[] {
  return platforms.map(({ os, architecture, variant = "" }) => ({ os, architecture, ...(variant === "" ? {} : { variant }) }));
}

/** A node that takes longer counts as down: the others do not wait for it for ever. */
const PROBE_MS = 10_000;

/** Asks all nodes at once; in the order given. @throws {TbuildError} cancelled, and nothing else */
export async function probeNodes(nodes: readonly BuilderNode[], opts: Opts = {}): Promise<readonly NodeState[]> {
  return await Promise.all(nodes.map((node) => probeNode(node, opts)));
}

async function probeNode(node: BuilderNode, { signal }: Opts): Promise<NodeState> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PROBE_MS);
  const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  try {
    using connection = await openConnection(builderPlace(node.address, node.tls), { signal: either });
    const { record } = await connection.ask(controlService, "ListWorkers", {}, { signal: either });
    const [worker] = record;
    return worker === undefined ? { kind: "down", node, why: "it has no worker" } : { kind: "up", node, worker };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { kind: "down", node, why: late.signal.aborted ? `no answer within ${PROBE_MS / 1000} s` : reason(error, node) };
  } finally {
    clearTimeout(timer);
  }
}

/** Without what names the node: whoever tells the reason has named it. */
function reason(error: unknown, { address }: BuilderNode): string {
  const { message, cause } = error as Error;
  const prefixes = ["reach", "talk to"].map((verb) => `Cannot ${verb} the builder "${address}": `);
  // A program that was to lead there says why it does not.
  const told = cause instanceof Error && cause.message.startsWith(prefixes[0]!) ? cause.message : message;
  const prefix = prefixes.find((one) => told.startsWith(one)) ?? "";
  return told.slice(prefix.length);
}
