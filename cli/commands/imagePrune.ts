import type { Builder } from "../../builder/builder.js";
import { hasCode } from "../../cache/errors.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { mark } from "../../cache/gc.js";
import { isDangling } from "../../cache/images.js";
import type { ImageRecord } from "../../cache/meta/records.js";
import { prune } from "../../cache/prune.js";
import { diskUsage, keysBySnapshot } from "../../cache/usage.js";
import type { ImagePruneArgs } from "../args/imageListing.js";
import { askLine } from "../prompt.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";
import { removedLine } from "./imageRemove.js";
import { selectImages } from "./imageSelect.js";

/**
 * `tbuild image prune`: removes images without a name, with --all every image, and then what only they needed. What the build
 * cache leads to stays, for `tbuild prune`. @throws {TbuildError} usage when nobody can be asked
 */
export async function pruneImages(builder: Builder, args: ImagePruneArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  if (!args.force && !(await confirmed(args, terminal))) return "";
  const selected = await selectImages(builder, args.filter);
  const unwanted = selected.map(({ record }) => record).filter((record) => args.all || isDangling(record));
  const removed = await removeAll(builder, unwanted);
  const freed = await freeBytesOf(builder, removed, signal);
  const list = removed.length === 0 ? "" : `Deleted Images:\n${removed.map(removedLine).join("")}\n`;
  return `${list}Total reclaimed space: ${formatBytes(freed)}\n`;
}

async function confirmed({ all }: ImagePruneArgs, terminal: Terminal): Promise<boolean> {
  if (!process.stdin.isTTY) throw usage("Nobody can be asked whether to remove images: standard input is no terminal", "Use -f to remove them without a question");
  const what = all ? "all images" : "all dangling images";
  const answer = await askLine(`WARNING! This will remove ${what}.\nAre you sure you want to continue? [y/N] `, terminal);
  return /^y(?:es)?$/i.test(answer.trim());
}

async function removeAll({ store }: Builder, records: readonly ImageRecord[]): Promise<readonly ImageRecord[]> {
  const removed: ImageRecord[] = [];
  for (const record of records) {
    try {
      await store.images.remove(record.name);
      removed.push(record);
    } catch (error) {
      // Another process may have been quicker.
      if (!hasCode(error, "not_found")) throw error;
    }
  }
  return removed;
}

/** Frees what was reached from these images and is not in the build cache. Returns bytes. */
async function freeBytesOf({ store }: Builder, images: readonly ImageRecord[], signal: AbortSignal): Promise<number> {
  const usageOf = new Map<string, readonly string[]>((await diskUsage(store)).map(({ id, needs }) => [id, needs]));
  const roots = images.flatMap(({ manifests }) =>
    manifests.flatMap(({ config, layers }) => [`blob:${config}`, ...layers.map(({ snapshot }) => `snapshot:${snapshot}`)]),
  );
  const reached = mark(roots, (id) => usageOf.get(id) ?? []);
  const cached = new Set([...keysBySnapshot(store.meta).keys()].map((name) => `snapshot:${name}`));
  return (await prune(store, { signal, filter: ({ id }) => reached.has(id) && !cached.has(id) })).freedBytes;
}
