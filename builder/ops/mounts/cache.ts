import { statSync } from "node:fs";
import path from "node:path";
import { cacheMountKey, displayId, openCacheMount } from "../../../cache/cacheMounts.js";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import type { ExecMount, MountType } from "../../../solver/llb/op.js";
import type { BindMount } from "../../executor/executor.js";
import { selectedInput } from "../contentKey.js";
import { mountIdentity } from "../selection.js";
import { openTree } from "../trees.js";
import type { MountContext } from "./context.js";
import { mountPoint } from "./mountPoint.js";
import { mountSource } from "./mountSource.js";

type CacheType = Extract<MountType, { kind: "cache" }>;

/** A cache mount of a step, and what tells it from others. */
interface WantedCache {
  readonly mount: ExecMount;
  readonly type: CacheType;
  readonly context: MountContext;
  /** Digest of what it starts with, or "". */
  readonly base: string;
  readonly key: string;
}

/**
 * The cache mounts among a step's: directories of the store that keep what steps write to them. One starts with a copy of its
 * input, if it has one; other content to start with is another directory, as in BuildKit. A directory that the step mounts twice
 * is opened once, as its first mount says. All steps open theirs in one order, so that two which wait for the same two do not
 * wait for each other. @throws {TbuildError} not_found, invalid_argument, unavailable, cancelled
 */
export async function openCaches(
  mounts: readonly ExecMount[],
  contextOf: (mount: ExecMount) => MountContext,
): Promise<ReadonlyMap<ExecMount, BindMount>> {
  const wanted: WantedCache[] = [];
  for (const mount of mounts) if (mount.type.kind === "cache") wanted.push(await identify(mount, mount.type, contextOf(mount)));
  const paths = new Map<string, string>();
  for (const cache of [...wanted].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))) {
    if (!paths.has(cache.key)) paths.set(cache.key, await openCache(cache));
  }
  return new Map(wanted.map(({ mount, key }) => [mount, bindOf(mount, paths.get(key) ?? "")]));
}

function bindOf({ dest, readonly }: ExecMount, source: string): BindMount {
  return { kind: "bind", source, dest, readonly, isFile: false };
}

async function identify(mount: ExecMount, type: CacheType, context: MountContext): Promise<WantedCache> {
  const base = mount.input < 0 && path.posix.join("/", mount.selector) === "/" ? "" : await contentOf(mount.selector, context);
  return { mount, type, context, base, key: cacheMountKey({ id: type.id, base }) };
}

async function openCache({ mount, type: { id, sharing }, base, key, context }: WantedCache): Promise<string> {
  const { deps, stack, opts } = context;
  const opened = await openCacheMount(deps.store, {
    id,
    sharing,
    base,
    async fill(dir, path) {
      if ((await deps.restoreMount?.({ key, id: displayId(id), path }, dir)) === true || base === "") return;
      await fillFrom(mount.selector, dir, id, context);
    },
    onWait: () => opts.report.log(2, Buffer.from(`waiting for the cache mount "${displayId(id)}": another step has it\n`)),
    signal: opts.signal,
  });
  stack.use({ [Symbol.asyncDispose]: async () => opened[Symbol.dispose]() });
  return opened.path;
}

async function contentOf(selector: string, { deps: { store }, input, opts }: MountContext): Promise<string> {
  try {
    return (await selectedInput(store, [mountIdentity(selector)]).content(input, opts)).digest;
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
    await using tree = await openTree(store, input);
    mountSource(tree.path, selector);
    throw error;
  }
}

async function fillFrom(selector: string, dir: string, id: string, { deps, input, opts }: MountContext): Promise<void> {
  const { store } = deps;
  await using tree = await openTree(store, input, mountPoint(store));
  const from = mountSource(tree.path, selector);
  if (!statSync(from).isDirectory()) {
    const message = `Cannot start the cache mount "${displayId(id)}" with "${selector}": it is not a directory`;
    throw new TbuildError("invalid_argument", message, { hint: "Name the directory that holds it" });
  }
  await store.bulk.run("copyTree", { from, to: dir }, { signal: opts.signal });
}
