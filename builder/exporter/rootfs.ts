import { mkdir } from "node:fs/promises";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { ExportTreeInput } from "../../cache/bulk/jobs.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { readAttrs } from "./attrs.js";
import { writeChunk, writeDestination } from "../image/destination.js";
import type { Exporter, ExportSpec, PlatformOutput } from "./exporter.js";
import type { ExporterDeps } from "./deps.js";

/**
 * `type=local`: merges the result's files into the directory `dest`; with several platforms each into a directory of its
 * own ("linux_arm64"), unless platform-split=false.
 */
export function localExporter(spec: ExportSpec, { store }: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const dest = attrs.required("dest", "Write it as type=local,dest=out");
  const split = attrs.text("platform-split") === undefined ? null : attrs.bool("platform-split", true);
  attrs.finish();
  return {
    name: "exporting to client directory",
    needs: { kind: "nothing" },
    async export({ platforms }, opts) {
      const isSplit = split ?? platforms.length > 1;
      for (const output of platforms) {
        const to = isSplit ? path.join(dest, formatPlatform(output.platform).replaceAll("/", "_")) : dest;
        await mkdir(to, { recursive: true });
        await exportTree(store, output, { kind: "directory", path: path.resolve(to) }, opts);
      }
      return { metadata: {}, descriptor: null };
    },
  };
}

/** `type=tar`: the result's files as a tar in the file `dest`, or on standard output for "-". One platform only. */
export function tarExporter(spec: ExportSpec, { store, stdout }: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const dest = attrs.required("dest", "Write it as type=tar,dest=out.tar, or dest=- for standard output");
  attrs.finish();
  return {
    name: "exporting to client tarball",
    needs: { kind: "nothing" },
    async export({ platforms }, opts) {
      const [output, ...others] = platforms;
      if (output === undefined || others.length > 0) {
        throw new TbuildError(
          "unsupported",
          "Cannot export several platforms as one tar",
          { hint: "Use type=local or type=oci" },
        );
      }
      await writeDestination(dest, stdout ?? process.stdout, async (stream) => {
        await exportTree(store, output, { kind: "tar" }, opts, (chunk) => writeChunk(stream, chunk));
      });
      return { metadata: {}, descriptor: null };
    },
  };
}

/** A result without layers is an empty directory, of which a tar still has its end. */
async function exportTree(
  store: Store,
  { ref }: PlatformOutput,
  to: ExportTreeInput["to"],
  { signal, report }: StepOpts,
  onChunk?: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const id = to.kind === "tar" ? "sending tarball" : "copying files";
  const onProgress = ({ bytes }: { readonly bytes: number }) => report.status(id, bytes, 0);
  await using tree = ref.name === null ? await emptyTree(store) : await mountTree(await store.snapshots.view(ref.name));
  await store.bulk.run("exportTree", { root: tree.path, to, clampMtime: null }, { signal, onProgress, onChunk });
  report.statusDone(id);
}

async function emptyTree(store: Store): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = path.join(store.scratch, "empty");
  await mkdir(dir, { recursive: true });
  return { path: dir, async [Symbol.asyncDispose]() {} };
}
