import { mkdirSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import type { Store } from "../../../cache/store.js";
import { sendFile } from "../../api/session.js";
import { writeChunk, writeDestination } from "../../image/destination.js";
import { receiveTree } from "../../session/receiveTree.js";
import type { ServedCall } from "./servedCall.js";
import type { Offers } from "./serveSession.js";

/** Takes what the builder sends for one output. */
export type OutputReceiver = (call: ServedCall) => Promise<void>;

/** Takes results for the outputs of these numbers, which are places in the list of outputs. */
export function outputOffers(receivers: ReadonlyMap<number, OutputReceiver>): Offers {
  return {
    async [sendFile.path](call) {
      // Builders of before there were several outputs name none.
      const [id = "0"] = call.header("buildkit-attachable-exporter-id");
      const receive = receivers.get(Number(id));
      if (receive === undefined) throw new TbuildError("invalid_argument", `Cannot take output ${id}: there is no such output`);
      await receive(call);
    },
  };
}

/** A file that is on its way. */
export interface ReceivedFile {
  readonly receive: OutputReceiver;
  /** Lets it appear: the builder is done, and has not failed. @throws {TbuildError} corrupt when it has sent none */
  commit(): Promise<void>;
  /** Drops what has come. Harmless when it was committed. */
  abandon(): Promise<void>;
}

/**
 * A file at `dest` ("-" is standard output), once. It appears when it is committed: a transfer that breaks off can look like one
 * that is complete.
 */
export function fileReceiver(dest: string): ReceivedFile {
  const outcome = new AbortController();
  const committed = new Promise<void>((resolve, reject) => {
    outcome.signal.addEventListener("abort", () => (outcome.signal.reason === COMMITTED ? resolve() : reject(outcome.signal.reason as Error)));
  });
  committed.catch(() => {});
  let writing: Promise<void> | null = null;
  return {
    async receive(call) {
      if (writing !== null) throw new TbuildError("invalid_argument", `Cannot write "${dest}" twice`);
      writing = writeDestination(dest, process.stdout, async (stream) => {
        for await (const messages of call.received) {
          for (const message of messages) await writeChunk(stream, sendFile.request.decode(message).data);
        }
        call.finish();
        await committed;
      });
      await writing;
    },
    async commit() {
      if (writing === null) throw new TbuildError("corrupt", `Cannot write "${dest}": the builder has sent nothing`);
      outcome.abort(COMMITTED);
      await writing;
    },
    async abandon() {
      outcome.abort(new TbuildError("cancelled", "The build has failed"));
      await writing?.catch(() => {});
    },
  };
}

const COMMITTED = "committed";

/** Directories that were received, in a place of this process's own: nothing of the user's is touched before all have come. */
export interface ReceivedTrees {
  readonly receive: OutputReceiver;
  /** Absolute paths, in the order in which they came. */
  readonly roots: readonly string[];
}

/** Takes any number of directories. `name` is new in the store's scratch directory, where they are kept until the process ends. */
export function treeReceiver({ scratch, bulk }: Pick<Store, "scratch" | "bulk">, name: string): ReceivedTrees {
  const roots: string[] = [];
  // Only root may give files away.
  const owner = process.getuid?.() === 0 ? null : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return {
    roots,
    async receive(call) {
      const root = path.join(scratch, name, String(roots.length));
      roots.push(root);
      mkdirSync(root, { recursive: true, mode: 0o755 });
      await receiveTree(call, [], { pool: bulk, path: root, differ: "none", signal: call.signal, owner });
    },
  };
}
