import { setMaxListeners } from "node:events";
import type { SolveRequest } from "../../api/control.js";
import type { ScanTarget } from "../../../frontend/dockerfile/scans.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import type { AttestOptions } from "../../attest/options.js";
import { cacheMountDropper, type DropCacheMounts } from "../../dropCacheMounts.js";
import type { FrontendsConfig } from "../../daemonConfig.js";
import { type Entitlements, entitlementsOf } from "../../entitlements.js";
import { openLogs } from "../../logs/buildLogs.js";
import { type FailedTrees, failedTrees } from "../../ops/failedStep.js";
import type { BuildParts, Running } from "../../run.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";
import { sourcePins } from "../../source/pins.js";
import { type Warn, warnOnce } from "../../warnOnce.js";
import { asksEpoch } from "../frontend/frontendOpt.js";
import type { BuildJob } from "../job.js";
import { attestOptionsIn } from "./attestOpt.js";
import { type ClientCaches, openClientCaches } from "./clientCaches.js";
import { type ClientSources, clientSources } from "./clientSources.js";
import { granted } from "./granted.js";
import { type RefTable, refTable } from "./refTable.js";
import type { RequestRecords } from "./requestRecords.js";
import { type BuildScope, newScope } from "./scope.js";

/** What builds of clients are made of. */
export interface ClientBuildParts {
  readonly parts: BuildParts;
  readonly sessions: Sessions;
  /** Entitlements that the daemon lets clients use, such as "network.host". */
  readonly allowed: readonly string[];
  readonly frontends: FrontendsConfig;
  /** What provenance tells of whoever runs the daemon. */
  readonly provenanceEnvironment?: Readonly<Record<string, unknown>> | undefined;
  /** As clients list them: frontends ask for which platforms there are. */
  readonly workers: readonly WorkerRecordInput[];
}

/** One build of a client under way. Disposing lets go of what it holds. */
export interface ClientRun extends ClientSources, ClientCaches {
  readonly workers: readonly WorkerRecordInput[];
  readonly frontends: FrontendsConfig;
  readonly request: SolveRequest;
  /** With a signal that is aborted also when the client's session is over: a build without its client has nobody to build for. */
  readonly job: BuildJob;
  readonly session: Session | null;
  readonly refs: RefTable;
  /** Ids of references whose graphs have run. */
  readonly evaluated: Set<string>;
  /** The client's own part of the build. */
  readonly scope: BuildScope;
  /** Of all builds. */
  readonly records: RequestRecords;
  /** What SBOMs are to look into besides a result, by {@link scanKey} of its graph. */
  readonly scans: Map<string, readonly ScanTarget[]>;
  /** What its failed steps have left, for containers. Disposed after these. */
  readonly failed: FailedTrees;
  /** Disposed with the build. */
  readonly noted: Disposable[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Attestations that the client asks for. */
  readonly attest: AttestOptions;
  /** What provenance tells of whoever runs the daemon. */
  readonly provenanceEnvironment: Readonly<Record<string, unknown>>;
  readonly warn: Warn;
  readonly dropCacheMounts: DropCacheMounts;
  /** What every part of the build works with but secrets and agents, which are asked for when steps are known. */
  readonly running: Omit<Running, "secrets" | "agents">;
  /** What its steps may do beyond the sandbox. */
  readonly entitlements: Entitlements;
  /** Ends what still runs: the build is over, and nobody waits for it. */
  stop(): void;
}

/** Begins a build of a client. @throws {TbuildError} not_found when its session does not come, permission_denied */
export async function openClientRun(deps: ClientBuildParts & { readonly records: RequestRecords }, request: SolveRequest, given: BuildJob): Promise<ClientRun> {
  const { parts, sessions, workers, frontends, allowed } = deps;
  const attest = attestOptionsIn(request.frontendAttrs);
  const session = request.session === "" ? null : await sessions.get(request.session, { signal: given.signal });
  const over = new AbortController();
  const signal = AbortSignal.any([given.signal, over.signal, ...(session === null ? [] : [session.closed])]);
  setMaxListeners(0, signal);
  const entitlements = entitlementsOf({ allow: granted(request.entitlements, allowed) });
  const { store } = parts;
  const logs = openLogs(store, given.report);
  const { report } = logs;
  const warn = warnOnce(report);
  const job = { ...given, report, signal };
  const sources = clientSources({ parts, sessions, session, job }, request);
  const noted: Disposable[] = [logs, sources];
  const close = (): void => {
    for (const one of noted.toReversed()) one[Symbol.dispose]();
  };
  const shared = await openClientCaches({ store, remote: sources.remote, report, warn, signal }, session, request).catch((error: unknown) => {
    close();
    throw error;
  });
  return {
    ...sources,
    ...shared,
    workers,
    frontends,
    request,
    job,
    session,
    refs: refTable(),
    evaluated: new Set(),
    scans: new Map(),
    scope: newScope(null, null),
    records: deps.records,
    failed: failedTrees(store),
    noted,
    startedAt: Date.now(),
    attest,
    provenanceEnvironment: deps.provenanceEnvironment ?? {},
    warn,
    dropCacheMounts: cacheMountDropper(store, shared.caches.mounts),
    running: { parts, remote: shared.caches.remote, applyPolicy: sources.policy.apply, pins: sourcePins(), logs, report, signal, epoch: null, request: { reproducible: asksEpoch(request.frontendAttrs) } },
    entitlements,
    stop: () => over.abort(),
    [Symbol.dispose]: close,
  };
}
