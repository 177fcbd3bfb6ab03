import { setMaxListeners } from "node:events";
import type { Opts } from "../../../cache/content/store.js";
import type { SolveRequest } from "../../api/control.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import { cacheMountDropper, type DropCacheMounts } from "../../dropCacheMounts.js";
import type { FrontendsConfig } from "../../daemonConfig.js";
import { type Entitlements, entitlementsOf } from "../../entitlements.js";
import { openLogs } from "../../logs/buildLogs.js";
import type { RemoteAccess } from "../../remote.js";
import type { BuildParts, Running } from "../../run.js";
import { policedRemote } from "../../policy/policedRemote.js";
import { sessionCredentials } from "../../session/auth.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";
import type { SourceDeps } from "../../source/mod.js";
import { resolvedOnce } from "../../source/resolvedOnce.js";
import type { Source } from "../../source/source.js";
import { type Warn, warnOnce } from "../../warnOnce.js";
import { asksEpoch, type FrontendOpt, withPrefix } from "../frontend/frontendOpt.js";
import type { BuildJob } from "../job.js";
import { clientDirectories } from "./clientDirectories.js";
import { clientLayouts } from "./clientLayouts.js";
import { type ClientPolicy, clientPolicy } from "./clientPolicy.js";
import { granted } from "./granted.js";
import { type RefTable, refTable } from "./refTable.js";
import { type Resolving, resolveSource } from "./resolve.js";
import { localSession } from "./localSession.js";
import { uploadSource } from "./uploadSource.js";

/** What builds of clients are made of. */
export interface ClientBuildParts {
  readonly parts: BuildParts;
  readonly sessions: Sessions;
  /** Entitlements that the daemon lets clients use, such as "network.host". */
  readonly allowed: readonly string[];
  readonly frontends: FrontendsConfig;
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
  readonly warn: Warn;
  readonly dropCacheMounts: DropCacheMounts;
  /** What every part of the build works with but secrets and agents, which are asked for when steps are known. */
  readonly running: Omit<Running, "secrets" | "agents">;
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
export async function openClientRun(deps: ClientBuildParts, request: SolveRequest, asked: BuildJob): Promise<ClientRun> {
  const { parts, sessions, workers, frontends, allowed } = deps;
  const session = request.session === "" ? null : await sessions.get(request.session, { signal: asked.signal });
  const over = new AbortController();
  const signal = AbortSignal.any([asked.signal, over.signal, ...(session === null ? [] : [session.closed])]);
  setMaxListeners(0, signal);
  const entitlements = entitlementsOf({ allow: granted(request.entitlements, allowed) });
  const { store } = parts;
  const logs = openLogs(store, asked.report);
  const { report } = logs;
  const credentials = session === null ? undefined : sessionCredentials(session, { signal });
  const sessionOf = (id: string, opts: Opts) => localSession(id === "" ? request.session : id, sessions, opts.signal ?? signal);
  const access = { credentials, layouts: clientLayouts(sessionOf) };
  const remotes = { usual: parts.remote({ pull: false, ...access }), pull: parts.remote({ pull: true, ...access }) };
  let localSessions = withPrefix(request.frontendAttrs, "local-sessionid:");
  const rawRemoteFor = (mode: string | undefined) => (mode === "pull" ? remotes.pull : remotes.usual);
  const directories = clientDirectories(store, (local, given, opts) => sessionOf(given ?? localSessions[local] ?? "", opts));
  const own = {
    local: directories.source,
    resolved: resolvedOnce(),
    aroundHttp: session === null ? undefined : (downloads: Source) => uploadSource(store, session, downloads),
  };
  const job = { ...asked, report, signal };
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
    warn: warnOnce(report),
    dropCacheMounts: cacheMountDropper(store),
    running: { parts, remote: remotes.usual, applyPolicy: policy.apply, logs, report, signal, epoch: null, request: { reproducible: asksEpoch(request.frontendAttrs) } },
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
      directories[Symbol.dispose]();
      logs[Symbol.dispose]();
      remotes.usual[Symbol.dispose]();
      remotes.pull[Symbol.dispose]();
    },
  };
}
