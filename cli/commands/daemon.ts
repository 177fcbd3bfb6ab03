import { isTbuildError } from "../../cache/errors.js";
import { createBuilder } from "../../builder/builder.js";
import { readEnvironment } from "../../builder/attest/environment.js";
import { loadConfig, type TbuildConfig } from "../../builder/config.js";
import { startDaemon } from "../../builder/daemon/daemon.js";
import { clientBuilds } from "../../builder/daemon/client/clientBuild.js";
import { retentionOf } from "../../builder/history/retention.js";
import { StatusError } from "../../builder/daemon/handlers.js";
import { collectorOf } from "../../builder/daemon/operation/spanSender.js";
import { runnablePlatforms } from "../../builder/daemon/emulated.js";
import { collectGarbage } from "../../builder/gc/collect.js";
import { gcPolicies, gcRules } from "../../builder/gc/rules.js";
import { createSessions } from "../../builder/session/sessions.js";
import { versionOf, workerId, workerRecord } from "../../builder/daemon/worker.js";
import type { WorkerRecordInput } from "../../builder/api/worker.js";
import type { DaemonArgs } from "../args/daemon.js";
import { daemonSettings, type DaemonSettings } from "../daemonSettings.js";
import { usage } from "../usage.js";
import type { Terminal } from "../terminal.js";

/** How long builds may go on when the daemon is told to end. */
const GRACE_MS = 5000;

/** `tbuild daemon`: answers BuildKit's clients until it is told to end. What it logs goes to stderr. */
export async function daemonCommand(args: DaemonArgs, version: string, { stderr }: Terminal): Promise<void> {
  const config = await loadConfig(args.config);
  const settings = daemonSettings(args, config);
  for (const warning of settings.warnings) stderr.write(`WARNING: ${warning}\n`);
  const cdiDirs = args.cdiDisabled ? [] : args.cdiSpecDirs.length > 0 ? args.cdiSpecDirs : undefined;
  const stopped = stopSignal();
  await using builder = await createBuilder({ root: settings.root, configFile: args.config, ociRuntime: args.binary, maxParallelism: args.maxParallelism, cdiDirs });
  const { store } = builder;
  checkSnapshotter(args.snapshotter ?? config.worker.snapshotter, store.snapshotterName);
  const { provenanceEnvDir } = config.daemon;
  const provenanceEnvironment = provenanceEnvDir === null ? {} : readEnvironment(provenanceEnvDir);
  const sessions = createSessions();
  const policies = gcPolicies(settings.gc, store.root);
  gcRules(policies, store.root);
  const worker = await workerOf(store.root, store.snapshotterName, config, settings, version);
  const daemon = await startDaemon({
    ...settings,
    store,
    sessions,
    openBuild: clientBuilds({ parts: builder.parts, sessions, allowed: settings.entitlements, workers: [worker], frontends: config.daemon.frontends, provenanceEnvironment }),
    worker,
    version: versionOf(version),
    retention: retentionOf(config.history),
    collect: policies.length === 0 ? undefined : (signal) => collectGarbage(store, policies, { signal }),
    collector: collectorOf(process.env, (message) => void stderr.write(`WARNING: ${message}\n`)),
    onError: (path, error) => void stderr.write(logEntry(path, error, args.debug || config.daemon.debug)),
  });
  if (daemon.debugAddress !== null) stderr.write(`Metrics on ${daemon.debugAddress}\n`);
  for (const address of daemon.addresses) stderr.write(`Listening on ${address}\n`);
  stderr.write(`Ending at ${await stopped}\n`);
  await daemon.stop(GRACE_MS);
}

async function workerOf(root: string, snapshotter: "overlay" | "copy", { worker }: TbuildConfig, { labels, platforms, gc }: DaemonSettings, version: string): Promise<WorkerRecordInput> {
  const config = { ...worker, ...gc, snapshotter: snapshotter === "overlay" ? "overlayfs" : "native" };
  return workerRecord({ id: await workerId(root), root, config, platforms: platforms ?? runnablePlatforms(), labels, version: versionOf(version) });
}

/** What is the daemon's own fault is logged with its stack; what a client did wrong, and is told of, only for debugging. */
function logEntry(path: string, error: unknown, debug: boolean): string {
  const cause = error instanceof StatusError ? (error.cause ?? error) : error;
  const clients = isTbuildError(cause) || cause instanceof StatusError;
  if (clients && !debug) return "";
  return `${path}: ${clients ? cause.message : String((cause as Error).stack ?? cause)}\n`;
}

const snapshotterNames = { overlay: ["auto", "overlayfs", "overlay"], copy: ["auto", "native", "copy"] };

/** Which kind of snapshots a store has is fixed when it is made. @throws {TbuildError} usage */
function checkSnapshotter(wanted: string | null, has: "overlay" | "copy"): void {
  if (wanted === null || snapshotterNames[has].includes(wanted)) return;
  throw usage(`Cannot use snapshotter "${wanted}": the store's is "${snapshotterNames[has][1]}"`, "Leave it at auto, or give another --root");
}

/** The first signal ends in order; the second one at once, and the next daemon cleans up. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let told = false;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        if (told) process.exit(130);
        told = true;
        resolve(name);
      });
    }
  });
}
