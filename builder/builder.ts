import { setMaxListeners } from "node:events";
import type { Opts } from "../cache/content/store.js";
import { cancelled, fromSystemError, TbuildError } from "../cache/errors.js";
import type { ImageManifestRecord } from "../cache/meta/records.js";
import type { Descriptor, ImageConfig, Manifest } from "../cache/oci/descriptor.js";
import { hostPlatform } from "../cache/oci/platform.js";
import type { Reference } from "../cache/oci/reference.js";
import { openStore, type Store } from "../cache/store.js";
import { progressChannel } from "../solver/progressChannel.js";
import { createSolver } from "../solver/solve.js";
import { anyFrontend } from "./anyFrontend.js";
import type { CallKind, CallResult } from "./call.js";
import { type GcConfig, type HistoryConfig, loadConfig, type TbuildConfig } from "./config.js";
import { newRef } from "./history/newRef.js";
import { recorded } from "./history/recorder.js";
import { removeContainers } from "./executor/leftovers.js";
import type { ProcessResult, Stdio } from "./executor/executor.js";
import { findProgram } from "./executor/host.js";
import { runcExecutor } from "./executor/runc.js";
import { type CreatedImage, createImage, type CreateRequest, type RemoteDocument, remoteConfig, remoteDocument } from "./imageCreate.js";
import type { Report } from "./internalStep.js";
import { type LockChange, type LockUpdateRequest, updateLock } from "./lock/updateLock.js";
import { remoteAccess } from "./remote.js";
import { type NamedDigest, pullImages, type PullRequest, pushImages, type PushRequest } from "./registryTasks.js";
import type { Build, BuilderConfig, BuildOpts, BuildRequest, RunRequest, Task } from "./request.js";
import { storeRoot } from "./root.js";
import type { BuilderNode } from "./remote/nodes/node.js";
import type { NodesParts } from "./remote/nodes/nodesParts.js";
import type { BuildParts } from "./run.js";
import { bringImage, runImage } from "./runImage.js";
import type { VerifyReport } from "./verify/report.js";
import type { VerifyRequest } from "./verify/verify.js";

/** Builds images. Holds the store open until it is disposed; builds can run side by side. */
export interface Builder extends AsyncDisposable {
  /** What is at rest, for the commands that list and remove. */
  readonly store: Store;
  /** What its builds are made of, for a daemon that plans them otherwise. */
  readonly parts: BuildParts;
  /** What the configuration says of collection; see `gcPolicies`. */
  readonly gcConfig: GcConfig;
  /** Starts a build. Aborting the signal ends its containers and then rejects the result with `cancelled`. */
  build(request: BuildRequest, opts?: BuildOpts): Build;
  /** Brings an image of a registry into the image store. See {@link pullImages}. */
  pull(request: PullRequest, opts?: { readonly signal?: AbortSignal }): Task<NamedDigest>;
  /** Writes images of the image store to the registries of their names. See {@link pushImages}. */
  push(request: PushRequest, opts?: { readonly signal?: AbortSignal }): Task<readonly NamedDigest[]>;
  /** Brings the blob of a pulled layer into the content store from where it came. @throws {TbuildError} not_found, unavailable */
  fetchLayer(blob: Descriptor, opts?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Makes an index of what registries hold. See {@link createImage}. */
  createImage(request: CreateRequest, opts?: { readonly signal?: AbortSignal }): Task<CreatedImage>;
  /** What a name stands for in its registry; nothing is brought here. See {@link remoteDocument}. */
  remoteDocument(name: string, opts?: Opts): Promise<RemoteDocument>;
  /** Config of an image of a registry. See {@link remoteConfig}. */
  remoteConfig(reference: Reference, manifest: Manifest, opts?: Opts): Promise<ImageConfig>;
  /** Fetches what of a stored image's files was left in its registry. See {@link bringImage}. */
  bring(image: ImageManifestRecord, opts?: { readonly signal?: AbortSignal }): Task<void>;
  /** Runs a process in an image of the image store, and keeps nothing of what it writes. See {@link runImage}. */
  run(request: RunRequest, opts: Opts & Stdio): Promise<ProcessResult>;
  /** Finds out anew what the names of a `tbuild.lock` stand for. See {@link updateLock}. */
  updateLock(request: LockUpdateRequest, opts?: { readonly signal?: AbortSignal }): Task<readonly LockChange[]>;
  /** Builds an image anew, exports nothing and tells what differs. See `verifyImage`. */
  verify(request: VerifyRequest, opts?: { readonly signal?: AbortSignal }): Task<VerifyReport>;
  /** Asks something of a Dockerfile and runs nothing. See {@link callFrontend}. */
  call<K extends CallKind>(request: BuildRequest, kind: K, opts?: { readonly signal?: AbortSignal }): Promise<CallResult<K>>;
}

/** Steps at a time when nothing else is configured: as BuildKit, as many as there are, within reason. */
const DEFAULT_CONCURRENCY = 64;

/**
 * Opens the store and makes a builder on it. @throws {TbuildError} parse_failed for a bad tbuild.toml, unsupported for a
 * store of a newer version
 */
export async function createBuilder(config: BuilderConfig = {}): Promise<Builder> {
  const nodes = await nodesOf(config);
  const settings = withOverrides(await loadConfig(config.configFile), config);
  const runtime = config.ociRuntime ?? settings.worker.binary ?? "runc";
  const store = await openStore({
    root: storeRoot(config.root),
    cleanScratch: (scratch) => removeContainers(runtime, scratch),
    warm: config.warm,
    maxLayerSize: settings.worker.maxLayerSize ?? undefined,
    maxStoreSize: settings.worker.maxStoreSize ?? undefined,
  });
  const parts = buildParts(store, settings, runtime);
  const own = localBuilder(parts, settings, config.history === true);
  return nodes.length === 0 ? own : { ...own, ...(await remoteBuilds({ nodes, store, registries: settings.registries, remote: parts.remote }, settings.history)) };
}

/** Where builds run; none is this process. Only who builds elsewhere needs what it loads. @throws {TbuildError} usage, not_found, invalid_argument */
async function nodesOf({ address, tls, nodes = [] }: BuilderConfig): Promise<readonly BuilderNode[]> {
  const given = address === undefined ? nodes : [{ address, tls }];
  return given.length === 0 ? [] : (await import("./remote/nodes/node.js")).builderNodes(given);
}

/** What builders elsewhere do of a {@link Builder}'s work; the rest is this machine's. */
async function remoteBuilds(parts: NodesParts, limits: HistoryConfig): Promise<Pick<Builder, "build" | "call" | "verify">> {
  const { callElsewhere, runElsewhere } = await import("./remote/nodes/elsewhere.js");
  return {
    build: (request, { ref, signal: asked } = {}) => {
      const work = (report: Report, signal: AbortSignal) => runElsewhere(parts, { request, ref: ref ?? newRef() }, report, signal);
      if (ref === undefined) return startTask(work, asked);
      const address = parts.nodes.map((node) => node.address).join(", ");
      const kept = { store: parts.store, limits, request, ref, address, visible: "at once" } as const;
      return startTask((report, signal) => recorded(kept, report, signal, work), asked);
    },
    verify: () => startTask(async () => Promise.reject(verifiedElsewhere()), undefined),
    call: (request, kind, opts = {}) => callElsewhere(parts, request, kind, opts.signal ?? new AbortController().signal),
  };
}

function verifiedElsewhere(): TbuildError {
  return new TbuildError("unsupported", "Cannot verify an image with a builder elsewhere", { hint: "Use --builder default: it is built here then" });
}

function localBuilder(parts: BuildParts, settings: TbuildConfig, remembers: boolean): Builder {
  const { store } = parts;
  const withAny = anyFrontend(parts, settings);
  return {
    store,
    parts,
    gcConfig: settings.worker,
    build(request, { ref, signal: asked } = {}) {
      const work = (report: Report, signal: AbortSignal) => withAny.build(request, report, signal);
      if (!remembers && ref === undefined) return startTask(work, asked);
      const kept = { store, limits: settings.history, request, ref: ref ?? newRef(), address: null, visible: ref === undefined ? "soon" : "at once" } as const;
      return startTask((report, signal) => recorded(kept, report, signal, work), asked);
    },
    pull: (request, opts = {}) => startTask((report, signal) => pullImages(parts, request, report, signal), opts.signal),
    push: (request, opts = {}) => startTask((report, signal) => pushImages(parts, request, report, signal), opts.signal),
    async fetchLayer(blob, opts = {}) {
      using access = parts.remote({ pull: false });
      await access.refetch(blob, opts);
    },
    createImage: (request, opts = {}) => startTask((report, signal) => createImage(parts, request, report, signal), opts.signal),
    remoteDocument: (name, opts = {}) => remoteDocument(parts, name, opts),
    remoteConfig: (reference, manifest, opts = {}) => remoteConfig(parts, reference, manifest, opts),
    bring: (image, opts = {}) => startTask((report, signal) => bringImage(parts, image, report, signal), opts.signal),
    run: (request, opts) => runImage(parts, request, opts),
    updateLock: (request, opts = {}) => startTask((report, signal) => updateLock(parts, request, report, signal), opts.signal),
    verify: (request, opts = {}) =>
      startTask(async (report, signal) => (await import("./verify/verify.js")).verifyImage(parts, request, report, signal), opts.signal),
    call: (request, kind, opts = {}) => withAny.call(request, kind, opts.signal ?? new AbortController().signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function withOverrides(settings: TbuildConfig, { maxParallelism, cdiDirs }: BuilderConfig): TbuildConfig {
  return {
    ...settings,
    worker: { ...settings.worker, maxParallelism: maxParallelism ?? settings.worker.maxParallelism },
    cdi: { dirs: cdiDirs ?? settings.cdi.dirs },
  };
}

function buildParts(store: Store, settings: TbuildConfig, runtime: string): BuildParts {
  return {
    store,
    // The runtime is looked for when a step first needs it: a build of files alone needs none.
    executor: {
      run: (spec, opts) => {
        const { architecture } = hostPlatform();
        return runcExecutor({ runtime: findProgram(runtime), scratch: store.scratch, architecture, cdiDirs: settings.cdi.dirs }).run(spec, opts);
      },
    },
    cdiDirs: settings.cdi.dirs,
    warnings: settings.warnings,
    solver: createSolver({
      index: store.index,
      concurrency: settings.worker.maxParallelism ?? DEFAULT_CONCURRENCY,
      buildConcurrency: settings.worker.maxBuildParallelism ?? undefined,
    }),
    remote: (options) => remoteAccess(store, settings.registries, options),
  };
}

function startTask<T>(work: (report: Report, signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Task<T> {
  const channel = progressChannel();
  const abort = new AbortController();
  // Every step under way listens: that many listeners are no leak.
  setMaxListeners(0, abort.signal);
  const onAbort = () => abort.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted === true) onAbort();
  const result = work(channel.report, abort.signal)
    .catch((error: unknown) => {
      throw signal?.aborted === true ? cancelled(signal) : fromSystemError(error);
    })
    .finally(() => {
      signal?.removeEventListener("abort", onAbort);
      channel.end();
    });
  // Whoever reads progress first and the result later must not be called unhandled.
  result.catch(() => {});
  return { progress: channel.events, result };
}
