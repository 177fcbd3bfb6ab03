import path from "node:path";
import type { ExportTreeInput } from "../../cache/bulk/exportJobs.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { writeChunk, writeDestination } from "../image/destination.js";
import { type Attrs, readAttrs } from "./attrs.js";
import type { ExporterDeps } from "./deps.js";
import type { Exporter, ExportSpec } from "./exporter.js";
import { openTrees, type PlatformLayout } from "./platformTrees.js";

const NOTHING = { metadata: {}, descriptor: null };

/**
 * `type=local`: merges the result's files into the directory `dest`, or with mode=delete makes `dest` hold nothing else. An
 * index gives each platform a directory of its own ("linux_arm64"); platform-split says so for one platform, or against it.
 */
export function localExporter(spec: ExportSpec, { store, clampMtime = null }: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const dest = path.resolve(attrs.required("dest", "Write it as type=local,dest=out"));
  const layout = readLayout(attrs);
  const mode = readLocalMode(attrs);
  attrs.finish();
  return {
    name: "exporting to client directory",
    needs: { kind: "nothing" },
    readsFiles: true,
    async export(output, opts) {
      await using trees = await openTrees(store, output, layout, opts);
      if (mode === "delete") await store.bulk.run("mirror", { path: dest, trees: trees.list }, { signal: opts.signal });
      for (const { root, under } of trees.list) await exportTree(store, root, { kind: "directory", path: path.join(dest, under) }, { ...opts, clampMtime });
      return NOTHING;
    },
  };
}

/** `type=tar`: the same as one tar in the file `dest`, or on standard output for "-". */
export function tarExporter(spec: ExportSpec, { store, stdout, clampMtime = null }: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const dest = attrs.required("dest", "Write it as type=tar,dest=out.tar, or dest=- for standard output");
  const layout = readLayout(attrs);
  attrs.finish();
  return {
    name: "exporting to client tarball",
    needs: { kind: "nothing" },
    readsFiles: true,
    async export(output, opts) {
      await using trees = await openTrees(store, output, layout, opts);
      await writeDestination(dest, stdout ?? process.stdout, async (stream) => {
        for (const [index, { root, under }] of trees.list.entries()) {
          const after = trees.list.slice(0, index).flatMap((tree) => (tree.under === under ? [tree.root] : []));
          const part = { into: under, after, last: index === trees.list.length - 1 };
          await exportTree(store, root, { kind: "tar", ...part }, { ...opts, clampMtime }, (chunk) => writeChunk(stream, chunk));
        }
      });
      return NOTHING;
    },
  };
}

/** `platform-split` of type=local and type=tar; null when it is not given. @throws {TbuildError} invalid_argument */
export function readLayout(attrs: Attrs): PlatformLayout | null {
  if (attrs.text("platform-split") === undefined) return null;
  return attrs.bool("platform-split", true) ? "split" : "merged";
}

/** `mode` of type=local: whether files that are no part of the result stay. @throws {TbuildError} invalid_argument */
export function readLocalMode(attrs: Pick<Attrs, "text" | "invalid">): "copy" | "delete" {
  const mode = attrs.text("mode") ?? "copy";
  if (mode !== "copy" && mode !== "delete") throw attrs.invalid("mode", '"copy" or "delete"');
  return mode;
}

async function exportTree(
  store: Store,
  root: string,
  to: ExportTreeInput["to"],
  { signal, report, clampMtime }: StepOpts & { readonly clampMtime: number | null },
  onChunk?: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const place = to.kind === "tar" ? "sending tarball" : "copying files";
  const id = to.kind === "tar" && to.into !== "" ? `${place} ${to.into}` : place;
  const onProgress = ({ bytes }: { readonly bytes: number }) => report.status(id, bytes, 0);
  await store.bulk.run("exportTree", { root, to, clampMtime }, { signal, onProgress, onChunk });
  report.statusDone(id);
}
