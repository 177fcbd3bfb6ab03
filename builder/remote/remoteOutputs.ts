import path from "node:path";
import { PassThrough } from "node:stream";
import { TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { TypeAndAttrs } from "../api/common.js";
import { sendFile } from "../api/session.js";
import { findEngine } from "../engine/client.js";
import { isForEngine } from "../exportSpecs.js";
import { readAttrs } from "../exporter/attrs.js";
import type { ExportSpec } from "../exporter/exporter.js";
import { readLocalMode } from "../exporter/rootfs.js";
import { writeDirectory } from "../image/destination.js";
import { newName } from "../ops/snapshotStep.js";
import { checkLayouts, type TakenBlobs } from "./takenBlobs.js";
import { loadTaken, writeTakenLayout } from "./takenImage.js";
import { fileReceiver, type OutputReceiver, type ReceivedFile, type ReceivedTrees, treeReceiver } from "./session/outputFiles.js";

/** Keys and values of an exporter's response. */
export type ExportMetadata = Readonly<Record<string, string>>;

/** Where the results of a build on a builder go. */
export interface RemoteOutputs extends AsyncDisposable {
  /** As the builder is asked for them. */
  readonly exporters: readonly TypeAndAttrs[];
  /** What takes the results, by place in {@link exporters}. */
  readonly receivers: ReadonlyMap<number, OutputReceiver>;
  /** False when all is done with the builder's answer. */
  readonly hasFinish: boolean;
  /** What is left to do when the builder is done; returns the metadata of all. */
  finish(response: ExportMetadata, opts: StepOpts): Promise<ExportMetadata>;
}

/** One output on its way. */
interface Output {
  readonly exporter: TypeAndAttrs;
  readonly receive?: OutputReceiver;
  /** Work of this machine once the builder is done; it may give other metadata than the builder's. */
  readonly finish?: (opts: StepOpts) => Promise<ExportMetadata | null>;
  /** Drops what has come, unless it was finished. */
  readonly abandon?: () => Promise<void>;
}

/** Packed as for a registry, so that the builder can use the blobs again; those that are here already are not sent. */
export const ON_THE_WAY: ExportSpec["attrs"] = { tar: "false" };

/**
 * Asks for what `specs` mean when the result is to come here: an image that is not pushed is brought into the image store.
 * @throws {TbuildError} unsupported for several layouts of different kinds
 */
export function remoteOutputs(specs: readonly ExportSpec[], store: Store, taken: TakenBlobs): RemoteOutputs {
  const layouts = specs.filter(isLayout);
  checkLayouts(layouts);
  // The builder's answer is of the last one: an image that is only loaded comes first.
  const sorted = [...specs.filter(isLoaded), ...specs.filter((spec) => !isLoaded(spec) && spec.type !== "cacheonly")];
  const outputs = sorted.map((spec) => outputOf(spec, { store, taken, like: layouts[0] }));
  return {
    exporters: outputs.map(({ exporter }) => exporter),
    receivers: new Map(outputs.flatMap(({ receive }, id) => (receive === undefined ? [] : [[id, receive]]))),
    hasFinish: outputs.some(({ finish }) => finish !== undefined),
    async finish(response, opts) {
      let metadata = response;
      for (const { finish } of outputs) {
        const own = await finish?.(opts);
        if (own != null && !sorted.some((spec) => tellsDigest(spec) && !isLoaded(spec))) metadata = { ...withoutDigest(response), ...own };
      }
      return metadata;
    },
    async [Symbol.asyncDispose]() {
      for (const { abandon } of outputs) await abandon?.();
    },
  };
}

/** True for an image of the image store alone. */
export function isLoaded({ type, attrs }: ExportSpec): boolean {
  return type === "image" && !["push", "push-by-digest", "name-canonical"].some((key) => isTrue(attrs[key]));
}

function isLayout({ type, attrs }: ExportSpec): boolean {
  return (type === "oci" || type === "docker") && attrs["dest"] !== undefined && /^(?:0|f|false)$/i.test(attrs["tar"] ?? "");
}

function tellsDigest({ type }: ExportSpec): boolean {
  return type !== "local" && type !== "tar" && type !== "cacheonly";
}

/** What of a response is not about an image's name and digest. */
export function withoutDigest(response: ExportMetadata): ExportMetadata {
  return Object.fromEntries(Object.entries(response).filter(([key]) => !key.startsWith("containerimage.") && key !== "image.name"));
}

function isTrue(text = ""): boolean {
  return /^(?:1|t|true)$/i.test(text);
}

interface OutputDeps {
  readonly store: Store;
  readonly taken: TakenBlobs;
  /** A layout that is asked for besides: an image that is loaded is packed like it. */
  readonly like: ExportSpec | undefined;
}

function outputOf(spec: ExportSpec, deps: OutputDeps): Output {
  const { store, taken } = deps;
  const { type, attrs: { dest = "", ...attrs } } = spec;
  if (isLoaded(spec)) return loadedOutput(attrs, deps);
  if (isForEngine(spec)) return { exporter: { type, attrs }, receive: engineReceiver() };
  if (isLayout(spec)) {
    const exporter = { type, attrs };
    return { exporter, finish: async () => (await writeDirectory(dest, (sink) => writeTakenLayout(sink, store, taken, spec)), null) };
  }
  switch (type) {
    case "image":
    case "registry":
      return { exporter: { type: "image", attrs: { "oci-mediatypes": "true", ...(type === "registry" ? { push: "true" } : {}), ...attrs } } };
    case "local":
      return localOutput(spec, treeReceiver(store, `received-${newName()}`), store);
    case "oci":
    case "docker":
    case "tar":
      return fileOutput({ type, attrs }, fileReceiver(dest));
    case "cacheonly":
      throw new Error("What writes nothing is no output");
  }
}

/** Names are given here; the rest is how the image is packed. */
function loadedOutput({ name = "", store: stored = "" }: ExportSpec["attrs"], { store, taken, like }: OutputDeps): Output {
  const attrs = Object.fromEntries(Object.entries(like?.attrs ?? ON_THE_WAY).filter(([key]) => key !== "name" && key !== "dest"));
  const names = /^(?:0|f|false)$/i.test(stored) ? "" : name;
  const exporter = { type: "oci", attrs };
  return { exporter, finish: async (opts) => await loadTaken(store, taken, names, opts) };
}

function fileOutput(exporter: TypeAndAttrs, { receive, commit, abandon }: ReceivedFile): Output {
  return { exporter, receive, abandon, finish: async () => (await commit(), null) };
}

/** Files that were there stay, unless mode=delete; nothing is written before all has come. */
function localOutput(spec: ExportSpec, { receive, roots }: ReceivedTrees, store: Store): Output {
  const { dest: _dest, ...attrs } = spec.attrs;
  return {
    exporter: { type: "local", attrs },
    receive,
    finish: async ({ signal }) => (await writeTrees(spec, roots, store, { signal }), null),
  };
}

/** Merges trees that have been received into the directory of a `type=local`, and removes them. */
export async function writeTrees(spec: ExportSpec, roots: readonly string[], { bulk }: Pick<Store, "bulk">, { signal }: Opts): Promise<void> {
  const target = path.resolve(spec.attrs["dest"] ?? "");
  const trees = roots.map((root) => ({ root, under: "" }));
  if (readLocalMode(readAttrs(spec)) === "delete") await bulk.run("mirror", { path: target, trees }, { signal });
  for (const { root } of trees) {
    await bulk.run("exportTree", { root, to: { kind: "directory", path: target }, clampMtime: null }, { signal });
    await bulk.run("removeTree", { path: root }, {});
  }
}

/** Passes a docker archive on to the running engine. */
function engineReceiver(): OutputReceiver {
  return async (call) => {
    const engine = await findEngine();
    if (engine === null) throw new TbuildError("unavailable", "Cannot load the image into Docker: no engine is running");
    const archive = new PassThrough();
    const loading = engine.load(archive, { signal: call.signal });
    loading.catch((error: unknown) => void archive.destroy(error as Error));
    for await (const messages of call.received) {
      for (const message of messages) {
        if (!archive.write(sendFile.request.decode(message).data)) await Promise.race([new Promise((done) => archive.once("drain", done)), loading]);
      }
    }
    archive.end();
    await loading;
  };
}
