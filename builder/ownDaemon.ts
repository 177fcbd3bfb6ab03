import { Socket } from "node:net";
import { socketPair } from "../cache/sys/pipe.js";
import type { CallKind, CallResult } from "./call.js";
import type { TbuildConfig } from "./config.js";
import { clientBuilds } from "./daemon/client/clientBuild.js";
import { type Daemon, startDaemon } from "./daemon/daemon.js";
import { runnablePlatforms } from "./daemon/emulated.js";
import { versionOf, workerId, workerRecord } from "./daemon/worker.js";
import { newRef } from "./history/newRef.js";
import type { Report } from "./internalStep.js";
import { callRemotely } from "./remote/remoteCall.js";
import { runRemoteBuild } from "./remote/remoteBuild.js";
import type { RemoteParts } from "./remote/remoteOffers.js";
import type { BuildRequest, BuildResult } from "./request.js";
import type { BuildParts } from "./run.js";
import { createSessions } from "./session/sessions.js";

/** Builds as a client of a daemon in this process, which has this store. @throws {TbuildError} why it failed */
export async function buildOnOwn(parts: BuildParts, settings: TbuildConfig, request: BuildRequest, report: Report, signal: AbortSignal): Promise<BuildResult> {
  return await withOwn(parts, settings, request, (remote) => runRemoteBuild(remote, request, newRef(), report, signal));
}

/** Asks the frontend of a request's file. @throws {TbuildError} as callRemotely */
export async function callOnOwn<K extends CallKind>(parts: BuildParts, settings: TbuildConfig, request: BuildRequest, kind: K, signal: AbortSignal): Promise<CallResult<K>> {
  return await withOwn(parts, settings, request, (remote) => callRemotely(remote, request, kind, signal));
}

async function withOwn<T>(parts: BuildParts, settings: TbuildConfig, { allow = [] }: BuildRequest, body: (remote: RemoteParts) => Promise<T>): Promise<T> {
  const daemon = await ownDaemon(parts, settings, allow);
  try {
    const place = { address: { kind: "own", open: () => connectTo(daemon) }, shown: "this process", tls: null } as const;
    return await body({ place, store: parts.store, registries: settings.registries });
  } finally {
    await daemon.stop(0);
  }
}

/** It listens nowhere. Whoever runs this process has allowed what the request does. */
async function ownDaemon(parts: BuildParts, { worker: config, daemon: { frontends } }: TbuildConfig, allowed: readonly string[]): Promise<Daemon> {
  const { store } = parts;
  const sessions = createSessions();
  const version = versionOf("");
  const worker = workerRecord({ id: await workerId(store.root), root: store.root, config, platforms: runnablePlatforms(), labels: {}, version });
  const openBuild = clientBuilds({ parts, sessions, allowed, workers: [worker], frontends });
  return await startDaemon({ store, sessions, openBuild, worker, version, addresses: [], owner: { uid: null, gid: null }, tls: null });
}

/** A real socket, as the daemon has it of its other clients. */
function connectTo(daemon: Daemon): Socket {
  const [theirs, ours] = socketPair().map((fd) => new Socket({ fd, readable: true, writable: true }));
  daemon.accept(theirs!);
  return ours!;
}
