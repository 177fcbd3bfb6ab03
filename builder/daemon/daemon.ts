import type { Socket } from "node:net";
import type { PruneResult } from "../../cache/prune.js";
import type { Store } from "../../cache/store.js";
import { contentService } from "../api/content.js";
import { controlService } from "../api/control.js";
import { gatewayService } from "../api/gateway.js";
import { healthService, SERVING } from "../api/health.js";
import { traceService } from "../api/trace.js";
import type { WorkerRecordInput } from "../api/worker.js";
import { letGo } from "../gc/letGo.js";
import { throttled } from "../gc/throttle.js";
import type { Sessions } from "../session/sessions.js";
import { contentHandlers } from "./blobs.js";
import { controlHandlers } from "./control.js";
import type { OpenBuild } from "./daemonBuild.js";
import { clientJobs, gatewayHandlers } from "./gateway.js";
import { addService, type OnError } from "./handlers.js";
import { type History, openHistory } from "./history/history.js";
import { defaultRetention, type Retention } from "../history/retention.js";
import { createJobs } from "./jobs.js";
import type { ListenAddress } from "./address.js";
import { serveDebug } from "./operation/debugServer.js";
import { createMetrics } from "./operation/metrics.js";
import { type Collector, spanSender } from "./operation/spanSender.js";
import { openTraces } from "./operation/traces.js";
import { createServer, serve, type ServeOptions } from "./server.js";

/** What a daemon is made of. */
export interface DaemonOptions extends ServeOptions {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly openBuild: OpenBuild;
  /** The one worker, as clients list it. */
  readonly worker: WorkerRecordInput;
  readonly version: NonNullable<WorkerRecordInput["buildkitVersion"]>;
  /** Which builds are remembered. */
  readonly retention?: Retention;
  /** Removes what is too much, a while after builds end. Default: nothing does. */
  readonly collect?: ((signal: AbortSignal) => Promise<PruneResult>) | undefined;
  /** Where `GET /metrics` is answered; default nowhere. */
  readonly debugAddress?: ListenAddress | undefined;
  /** Where spans are passed on to; default nowhere. */
  readonly collector?: Collector | null;
  readonly onError?: OnError;
}

/** A daemon that answers BuildKit's clients. */
export interface Daemon {
  /** Where it listens: "unix:///run/tbuild/tbuildd.sock". */
  readonly addresses: readonly string[];
  /** Where it answers `GET /metrics`, or null. */
  readonly debugAddress: string | null;
  /** Takes a connection of this process's own. */
  accept(connection: Socket): void;
  /**
   * Takes no further clients, lets builds go on for `graceMs`, cancels those that still run, and waits for their containers to
   * end. The store stays open.
   */
  stop(graceMs: number): Promise<void>;
}

/** How long a cancelled build may take to clean up, and calls to end. */
const CLEAN_UP_MS = 10_000;
const LAST_CALLS_MS = 1000;

/** Starts a daemon. @throws {TbuildError} unavailable, permission_denied when it cannot listen */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { store, worker } = options;
  const jobs = createJobs();
  const workers = () => [worker];
  const server = createServer();
  const onError = options.onError ?? (() => {});
  const metrics = createMetrics(() => jobs.count());
  const sender = options.collector == null ? null : spanSender(options.collector, (error) => onError("traces", error));
  const traces = openTraces("tbuildd", sender);
  const history = openHistory(store, options.retention ?? defaultRetention, { onError: (error) => onError("history", error), onRecord: metrics.count });
  const collection = collectNowAndThen(history, onError);
  const garbage = throttled(
    async (signal) => {
      await letGo(store, jobs.oldest());
      metrics.collected((await options.collect?.(signal))?.freedBytes ?? 0);
    },
    COLLECT_GARBAGE,
    (error) => onError("collection", error),
  );
  const onBuildEnd = () => {
    collection.run();
    if (options.collect !== undefined) garbage.ask();
  };
  addService(server, controlService, controlHandlers({ ...options, jobs, workers, history, traces, onBuildEnd }), onError);
  addService(server, gatewayService, gatewayHandlers(clientJobs(jobs), workers), onError);
  addService(server, contentService, contentHandlers(store.content), onError);
  addService(server, traceService, { Export: ({ resourceSpans }) => (traces.take(resourceSpans), {}) }, onError);
  addService(server, healthService, { Check: () => ({ status: SERVING }) }, onError);
  const debug = options.debugAddress === undefined ? null : await serveDebug(options.debugAddress, metrics.text);
  const serving = await serve(server, options).catch((error: unknown) => {
    debug?.close();
    throw error;
  });
  return {
    addresses: serving.addresses,
    debugAddress: debug?.address ?? null,
    accept: serving.accept,
    async stop(graceMs) {
      serving.close();
      debug?.close();
      const idle = jobs.close();
      await within(graceMs, idle);
      jobs.cancelAll(new Error("The daemon is stopping"));
      await within(CLEAN_UP_MS, idle);
      await history.close();
      await traces.flush();
      await serving.shutDown(LAST_CALLS_MS);
      await collection.end();
      await garbage.end();
    },
  };
}

/** Source: BuildKit, control/control.go. */
const COLLECT_GARBAGE = { delayMs: 1000, everyMs: 60_000 };

/** Records grow too old also when nobody builds. Source: BuildKit, solver/llbsolver/history/buildhistory.go. */
const COLLECT_EVERY_MS = 120_000;

function collectNowAndThen(history: History, onError: OnError): { run(): void; end(): Promise<void> } {
  let last = Promise.resolve();
  const run = () => void (last = last.then(() => history.collect()).catch((error: unknown) => onError("history", error)));
  const timer = setInterval(run, COLLECT_EVERY_MS).unref();
  run();
  return {
    run,
    end() {
      clearInterval(timer);
      return last;
    },
  };
}

/** Waits for `work`, but not longer than this. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
