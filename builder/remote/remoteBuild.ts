import { parseDigest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { attestOptions } from "../attest/options.js";
import { checkEngine, warnOfEngine } from "../engine/exporter.js";
import { entitlementsOf } from "../entitlements.js";
import { exportSpecs } from "../exportSpecs.js";
import type { ExportSpec } from "../exporter/exporter.js";
import { checkLocalDelete, LOCAL_DELETE } from "../exporter/localDelete.js";
import { createExporter } from "../exporter/mod.js";
import { internalStep, type Report } from "../internalStep.js";
import { type BuildLogs, openLogs } from "../logs/buildLogs.js";
import { rootKind, targetPlatforms } from "../platforms.js";
import type { BuildRequest, BuildResult } from "../request.js";
import { warnOnce } from "../warnOnce.js";
import { checkCaps } from "./builderCaps.js";
import { openConnection } from "./connection.js";
import { saysWhoseDisk } from "./fullDisk.js";
import { type FrontendAttrs, frontendAttrs } from "./frontendAttrs.js";
import { type OfferedInputs, offerInputs } from "./offeredInputs.js";
import { remoteLock } from "./remoteLock.js";
import { type RemoteOutputs, remoteOutputs } from "./remoteOutputs.js";
import { type noCaches, remoteCaches } from "./remoteCaches.js";
import { offersOf, openTransport, type RemoteParts } from "./remoteOffers.js";
import { openRemoteSession } from "./remoteSession.js";
import { type RemoteResult, type RemoteSolve, solveOn } from "./remoteSolve.js";
import type { Offers } from "./session/serveSession.js";
import { takenBlobs } from "./takenBlobs.js";
import { writtenPolicy } from "./writtenPolicy.js";

/** One build on a builder, from request to result. @throws {TbuildError} why it failed */
export async function runRemoteBuild(parts: RemoteParts, request: BuildRequest, ref: string, audience: Report, signal: AbortSignal): Promise<BuildResult> {
  const { store } = parts;
  const specs = exportSpecs(request);
  await checkRequest(specs, request, store, signal);
  const lock = remoteLock(request);
  const taken = takenBlobs(store);
  await using outputs = remoteOutputs(specs, store, taken);
  using logs = openLogs(store, audience);
  const { report } = logs;
  const warn = warnOnce(report);
  warnOfEngine(specs, attestOptions(request.attest ?? {}), warn);
  const caches = remoteCaches({ from: request.cacheFrom ?? [], to: request.cacheTo ?? [] }, store, warn);
  const asked = { ref, outputs, exports: taken.writer, caches, attrs: {}, policy: lock.policy };
  const { response } = await lock.guarded(() => solveRemotely(parts, { ...request, ...lock.rules }, asked, logs, signal));
  const finish = async (opts: StepOpts) => await caches.finish(await outputs.finish(response, opts), opts);
  const isDone = !outputs.hasFinish && !caches.hasFinish;
  const metadata = isDone ? response : await internalStep(report, "taking the result", signal, finish);
  await lock.finish({ report, signal });
  return resultOf(metadata);
}

/** Refuses what would fail later, before anything is asked of a builder. @throws {TbuildError} permission_denied, invalid_argument, unsupported, unavailable */
export async function checkRequest(specs: readonly ExportSpec[], request: BuildRequest, store: Store, signal: AbortSignal): Promise<void> {
  entitlementsOf(request);
  checkLocalDelete(specs, request.allow ?? []);
  checkOutputs(specs, request, store);
  await checkEngine(specs, { signal });
}

/** What is wrong with outputs is told here, before anything is asked of the builder. */
function checkOutputs(specs: readonly ExportSpec[], request: BuildRequest, store: Store): void {
  const shape = { platforms: targetPlatforms(request), root: rootKind(request) };
  const none = async (): Promise<void> => {};
  for (const spec of specs) createExporter(spec, { store, shape, refetch: none, push: none });
}

/** The result that an exporter's response tells of. */
export function resultOf(metadata: BuildResult["metadata"]): BuildResult {
  const imageId = metadata["containerimage.config.digest"] ?? metadata["containerimage.digest"];
  return { imageId: imageId === undefined ? null : parseDigest(imageId), metadata };
}

/** What a build asks besides its request. */
export interface Asked {
  /** Name of the build. */
  readonly ref: string;
  readonly outputs: Pick<RemoteOutputs, "exporters" | "receivers">;
  /** Takes blobs of images; null when there are none. */
  readonly exports: ReturnType<typeof takenBlobs>["writer"] | null;
  readonly caches: typeof noCaches;
  /** Further options of the frontend. */
  readonly attrs: FrontendAttrs;
  /** How the builder asks about each source; empty when it need not. */
  readonly policy: Offers;
}

/** Connects, offers what the request gives, and runs the frontend. @throws {TbuildError} why it failed */
export async function solveRemotely(parts: RemoteParts, request: BuildRequest, asked: Asked, logs: Pick<BuildLogs, "report" | "fileOf">, signal: AbortSignal): Promise<RemoteResult> {
  const { store, place, registries } = parts;
  const sourcePolicy = writtenPolicy(request);
  using transport = openTransport(registries);
  const inputs = await offerInputs(request, { store, transport: transport.http, signal });
  using connection = await openConnection(place, { signal });
  const { caches, exports, outputs: { exporters, receivers } } = asked;
  const offers = offersOf({ ...parts, request, inputs, transport: transport.http, receivers, exports, caches: caches.stores });
  using session = openRemoteSession(connection, { ...offers, ...asked.policy }, inputs.sharedKey);
  const solve: RemoteSolve = {
    ref: asked.ref,
    // Here it is the build's own history that has it, or none.
    history: place.address.kind === "own" ? "unrecorded" : "recorded",
    session: session.id,
    exporters,
    entitlements: (request.allow ?? []).filter((name) => name !== LOCAL_DELETE),
    cacheExports: caches.to,
    attrs: { ...frontendAttrs({ ...request, cacheFrom: caches.from }), ...epochAttr(request, inputs), ...inputs.attrs, ...asked.attrs },
    sourcePolicy,
    sourcePolicySession: Object.keys(asked.policy).length === 0 ? "" : session.id,
    check: (caps) => checkCaps(caps, request, exporters.length, connection.shown),
    fileOf: inputs.fileOf,
  };
  try {
    return await solveOn(connection, solve, logs, { signal });
  } catch (error) {
    throw signal.aborted ? error : saysWhoseDisk(error, session.failure(), connection.shown);
  }
}

/** tbuildd gives files and config the time that a build of this process would give them; others do not know the option. */
function epochAttr({ reproducible }: BuildRequest, { epoch }: OfferedInputs): FrontendAttrs {
  return reproducible === false ? {} : { "tbuild.epoch": epoch === null ? "" : String(epoch) };
}
