import { chmodSync, mkdirSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import { formatBytes } from "../../cache/formatBytes.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { sourceAnnotation } from "../image/origin.js";
import { internalStep, type Report } from "../internalStep.js";
import type { FetchOpts } from "../registry/client.js";
import type { Warn } from "../warnOnce.js";
import type { CacheImports, FoundMount } from "./imports.js";
import { cacheWarning } from "./warning.js";

/** A mount that is about to be made. */
export interface NewMount {
  /** See cacheMountKey. */
  readonly key: string;
  /** As people know it. */
  readonly id: string;
  /** Where it will be once it is complete. */
  readonly path: string;
}

/** Fills new cache mounts with what caches have of them. */
export interface MountRestorer {
  /** False when no cache could fill `dir`, which is empty then. Never rejects but for `cancelled`. */
  restore(mount: NewMount, dir: string): Promise<boolean>;
  /** These are to start empty. */
  leave(ids: Iterable<string>): void;
}

/** What {@link mountRestorer} works with. */
export interface RestorerDeps {
  readonly store: Store;
  readonly imports: Pick<CacheImports, "mounts">;
  readonly refetch: (blob: Descriptor, opts: FetchOpts) => Promise<void>;
  /** Hears of what cannot be used, so that nothing is built on it. */
  readonly note: (blob: Descriptor) => void;
  readonly report: Report;
  readonly warn: Warn;
  readonly signal: AbortSignal;
}

/** A mount that takes longer begins empty. */
const RESTORE_MS = 600_000;
/** A small download must not fill the disk. */
const MAX_BYTES = 2 ** 36;

/** Restores from the caches of one build, which are asked in their order. */
export function mountRestorer(deps: RestorerDeps): MountRestorer {
  const { imports, report, warn, signal, note } = deps;
  const left = new Set<string>();
  return {
    leave: (ids) => {
      for (const id of ids) left.add(id);
    },
    async restore(mount, dir) {
      if (left.has(mount.id)) return false;
      for (const found of await imports.mounts(mount.key)) {
        try {
          await internalStep(report, `restoring cache mount ${mount.id} from ${found.name}`, signal, (opts) => restoreFrom(deps, found, mount, dir, opts));
          return true;
        } catch (error) {
          await clear(deps.store, dir);
          if (signal.aborted) throw error;
          note(found.mount.tree);
          warn([cacheWarning(`Cannot restore the cache mount "${mount.id}" from "${found.name}"`, error)]);
        }
      }
      return false;
    },
  };
}

async function clear({ bulk }: Store, dir: string): Promise<void> {
  await bulk.run("removeTree", { path: dir });
  mkdirSync(dir);
  chmodSync(dir, 0o755);
}

async function restoreFrom(deps: RestorerDeps, { mount, origin }: FoundMount, { path }: NewMount, dir: string, opts: StepOpts): Promise<void> {
  const timeout = AbortSignal.timeout(RESTORE_MS);
  const signal = AbortSignal.any([opts.signal, timeout]);
  const { content, bulk, temporary } = deps.store;
  await using held = temporary.hold();
  try {
    if (mount.bytes > MAX_BYTES) throw new TbuildError("corrupt", `It says that it has ${formatBytes(mount.bytes)}`);
    await fetchAll([mount.tree, ...mount.packs], async (blob) => {
      held.add(blob.digest);
      await deps.refetch({ ...blob, annotations: { [sourceAnnotation]: origin } }, { signal });
    }, opts);
    const packs = mount.packs.map(({ digest }) => content.pathOf(digest));
    const input = { tree: content.pathOf(mount.tree.digest), packs, to: dir, mount: path, scratch: content.scratchPath(), maxBytes: mount.bytes };
    await bulk.run("unpackMount", input, { signal, onProgress: ({ bytes }) => opts.report.status("unpacking", bytes, mount.bytes) });
    opts.report.statusDone("unpacking");
  } catch (error) {
    if (!timeout.aborted || opts.signal.aborted) throw error;
    throw new TbuildError("unavailable", `It was not there within ${RESTORE_MS / 1000} s`, { cause: error });
  }
}

/** Blobs that are downloaded at a time. */
const AT_ONCE = 6;

async function fetchAll(blobs: readonly Descriptor[], fetch: (blob: Descriptor) => Promise<void>, { report }: StepOpts): Promise<void> {
  const { default: PQueue } = await import("p-queue");
  const queue = new PQueue({ concurrency: AT_ONCE });
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const one = async (blob: Descriptor): Promise<void> => {
    await fetch(blob);
    report.status("downloading", (done += blob.size), total);
  };
  const settled = await Promise.allSettled(blobs.map((blob) => queue.add(() => one(blob))));
  report.statusDone("downloading");
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}
