import { setMaxListeners } from "node:events";
import type { Opts } from "../../../cache/content/store.js";
import { TbuildError } from "../../../cache/errors.js";
import type { SolveRequest } from "../../api/control.js";
import type { ScanTarget } from "../../../frontend/dockerfile/scans.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import type { AttestOptions } from "../../attest/options.js";
import { cacheMountDropper, type DropCacheMounts } from "../../dropCacheMounts.js";
import { addImports, type BuildCaches, openCaches } from "../../cacheio/buildCaches.js";
import type { CacheSpec } from "../../cacheio/specs.js";
import type { FrontendsConfig } from "../../daemonConfig.js";
import { type Entitlements, entitlementsOf } from "../../entitlements.js";
import { openLogs } from "../../logs/buildLogs.js";
import type { RemoteAccess } from "../../remote.js";
import type { BuildParts, Running } from "../../run.js";
import { policedRemote } from "../../policy/policedRemote.js";
import { sessionCredentials } from "../../session/auth.js";
import { clientContent } from "../../session/content.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";
import type { SourceDeps } from "../../source/mod.js";
import { resolvedOnce } from "../../source/resolvedOnce.js";
import { sourcePins } from "../../source/pins.js";
import type { Source } from "../../source/source.js";
import { type Warn, warnOnce } from "../../warnOnce.js";
import { type FrontendOpt, withPrefix } from "../frontend/frontendOpt.js";
import type { BuildJob } from "../job.js";
import { attestOptionsIn } from "./attestOpt.js";
import { requestedCaches } from "./clientCaches.js";
import { clientDirectories } from "./clientDirectories.js";
import { clientLayouts } from "./clientLayouts.js";
import { type ClientPolicy, clientPolicy } from "./clientPolicy.js";
import { granted } from "./granted.js";
import { type RefTable, refTable } from "./refTable.js";
import { type Resolving, resolveSource } from "./resolve.js";
import { localSession } from "./localSession.js";
import type { RequestRecords } from "./requestRecords.js";
import { type BuildScope, newScope } from "./scope.js";
import { uploadSource } from "./uploadSource.js";

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
export interface ClientRun extends Disposable {
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
  /** Caches that it shares with others. */
  readonly caches: BuildCaches;
  /** A frontend may name further caches to look things up in. */
  noteCaches(specs: readonly CacheSpec[]): Promise<void>;
  /** What its steps may do beyond the sandbox. */
  readonly entitlements: Entitlements;
  /** Sources that are the client's. */
  readonly own: Pick<SourceDeps, "local" | "aroundHttp" | "resolved">;
  readonly policy: ClientPolicy;
  /** What is asked what sources are; it asks no policy. */
  readonly resolving: Resolving;
  /** Registries, with the client's logins; "pull" asks them even for what the image store has. */
  remoteFor(resolveMode: string | undefined): RemoteAccess;
  /** Options of a frontend may say that directories are another session's. */
  noteLocalSessions(opt: FrontendOpt): void;
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
  const asked = requestedCaches(request);
  const { store } = parts;
  const logs = openLogs(store, given.report);
  const { report } = logs;
  const credentials = session === null ? undefined : sessionCredentials(session, { signal });
  const sessionOf = (id: string, opts: Opts) => localSession(id === "" ? request.session : id, sessions, opts.signal ?? signal);
  const access = { credentials, layouts: clientLayouts(sessionOf) };
  const remotes = { usual: parts.remote({ pull: false, ...access }), pull: parts.remote({ pull: true, ...access }) };
  const noted: Disposable[] = [];
  let localSessions = withPrefix(request.frontendAttrs, "local-sessionid:");
  const warn = warnOnce(report);
  const openContent = (dir: string) => {
    if (session === null) throw new TbuildError("invalid_argument", "Cannot use a cache of the client: the build has no session");
    return clientContent(session, `local:${dir}`);
  };
  const cacheDeps = { store, remote: remotes.usual, report, warn, signal, client: { open: openContent } };
  const close = (): void => {
    logs[Symbol.dispose]();
    remotes.usual[Symbol.dispose]();
    remotes.pull[Symbol.dispose]();
  };
  const caches = await openCaches(cacheDeps, { from: [], to: asked.to }).catch((error: unknown) => {
    close();
    throw error;
  });
  const noteCaches = (specs: readonly CacheSpec[]) => addImports(caches, specs, cacheDeps);
  await noteCaches(asked.from);
  const rawRemoteFor = (mode: string | undefined) => (mode === "pull" ? remotes.pull : remotes.usual);
  const directories = clientDirectories(store, (local, id, opts) => sessionOf(id ?? localSessions[local] ?? "", opts));
  const own = {
    local: directories.source,
    resolved: resolvedOnce(),
    aroundHttp: session === null ? undefined : (downloads: Source) => uploadSource(store, session, downloads),
  };
  const job = { ...given, report, signal };
  const resolving = { job, session, store, own, remoteFor: rawRemoteFor };
  const policy = clientPolicy(request, {
    sessions,
    signal,
    resolve: async (question, rules) => await resolveSource(resolving, question, (source) => rules(source, { signal })),
  });
  return {
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
    noted,
    startedAt: Date.now(),
    attest,
    provenanceEnvironment: deps.provenanceEnvironment ?? {},
    warn,
    caches,
    noteCaches,
    dropCacheMounts: cacheMountDropper(store),
    running: { parts, remote: caches.remote, applyPolicy: policy.apply, pins: sourcePins(), logs, report, signal, epoch: null, request: { reproducible: false } },
    entitlements,
    own,
    policy,
    resolving,
    remoteFor: (mode) => policedRemote(rawRemoteFor(mode), policy.policy),
    noteLocalSessions(opt) {
      localSessions = { ...localSessions, ...withPrefix(opt, "local-sessionid:") };
    },
    stop: () => over.abort(),
    [Symbol.dispose]() {
      for (const one of noted) one[Symbol.dispose]();
      directories[Symbol.dispose]();
      close();
    },
  };
}
