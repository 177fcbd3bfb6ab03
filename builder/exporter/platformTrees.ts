import { mkdir } from "node:fs/promises";
import path from "node:path";
import { asyncStack } from "../../cache/asyncStack.js";
import { TbuildError } from "../../cache/errors.js";
import { formatPlatform, type Platform } from "../../cache/oci/platform.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { attestationFiles } from "./attestationFiles.js";
import type { BuildOutput } from "./exporter.js";

/** Where the trees of several platforms go: each into a directory of its own, or all into one. */
export type PlatformLayout = "split" | "merged";

/** One platform's files, while they can be read. */
export interface PlatformTree {
  readonly platform: Platform;
  /** Root of the mounted tree. */
  readonly root: string;
  /** Its directory in the output, such as "linux_arm64"; "" is the output itself. */
  readonly under: string;
}

/** The trees of a result, in the order of its platforms. Disposing unmounts them. */
export interface PlatformTrees extends AsyncDisposable {
  readonly list: readonly PlatformTree[];
}

/** How trees are laid out. */
export interface TreeOptions {
  /** Null: an index has a directory a platform, as in BuildKit. */
  readonly layout: PlatformLayout | null;
  /** Before the names of the files of attestations. */
  readonly attestationPrefix: string;
}

/**
 * Opens the files of each platform, and after them what is said of it, as trees of their own.
 * @throws {TbuildError} invalid_argument when platforms that are merged have different files of one path
 */
export async function openTrees(store: Store, { platforms, root }: BuildOutput, { layout: asked, attestationPrefix: prefix }: TreeOptions, opts: StepOpts): Promise<PlatformTrees> {
  const layout = asked ?? (root === "index" ? "split" : "merged");
  const stack = asyncStack();
  try {
    const list: PlatformTree[] = [];
    for (const { platform, ref } of platforms) {
      const tree = stack.use(ref.name === null ? await emptyTree(store) : await mountTree(await store.snapshots.view(ref.name)));
      list.push({ platform, root: tree.path, under: layout === "split" ? formatPlatform(platform).replaceAll("/", "_") : "" });
    }
    if (layout === "merged" && list.length > 1) await refuseOverlap(store, list, opts);
    const said: PlatformTree[] = [];
    for (const [index, { platform, attestations = [] }] of platforms.entries()) {
      const { root: tree, under } = list[index]!;
      const files = { attestations, platform, root: tree, prefix, named: layout === "merged" && root === "index" };
      const dir = await attestationFiles(store, files, opts);
      if (dir !== null) said.push({ platform, under, root: stack.use(dir).path });
    }
    return { list: [...list, ...said], [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function refuseOverlap({ bulk }: Store, trees: readonly PlatformTree[], { signal }: StepOpts): Promise<void> {
  const found = await bulk.run("findOverlap", { roots: trees.map(({ root }) => root) }, { signal });
  if (found === null) return;
  const [first, second] = [found.first, found.second].map((index) => formatPlatform(trees[index]!.platform));
  throw new TbuildError("invalid_argument", `Cannot merge platforms: "/${found.path}" of ${first} differs from that of ${second}`, {
    hint: "Without platform-split=false each platform has a directory of its own",
  });
}

/** A result without layers is an empty directory, of which a tar still has its end. */
async function emptyTree(store: Store): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = path.join(store.scratch, "empty");
  await mkdir(dir, { recursive: true });
  return { path: dir, async [Symbol.asyncDispose]() {} };
}
