import type { Opts } from "../../../cache/content/store.js";
import type { SolveRequest } from "../../api/control.js";
import { policedRemote } from "../../policy/policedRemote.js";
import type { RemoteAccess } from "../../remote.js";
import { sessionCredentials } from "../../session/auth.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";
import type { SourceDeps } from "../../source/mod.js";
import { resolvedOnce } from "../../source/resolvedOnce.js";
import type { Source } from "../../source/source.js";
import type { BuildParts } from "../../run.js";
import { type FrontendOpt, withPrefix } from "../frontend/frontendOpt.js";
import type { BuildJob } from "../job.js";
import { clientDirectories } from "./clientDirectories.js";
import { clientLayouts } from "./clientLayouts.js";
import { type ClientPolicy, clientPolicy } from "./clientPolicy.js";
import { localSession } from "./localSession.js";
import { type Resolving, resolveSource } from "./resolve.js";
import { uploadSource } from "./uploadSource.js";

/** Where a build of a client gets things from. Disposing lets go of connections and directories. */
export interface ClientSources extends Disposable {
  /** Sources that are the client's. */
  readonly own: Pick<SourceDeps, "local" | "aroundHttp" | "resolved">;
  readonly policy: ClientPolicy;
  /** What is asked what sources are; it asks no policy. */
  readonly resolving: Resolving;
  /** Registries, with the client's logins, as most of a build uses them. They ask no policy. */
  readonly remote: RemoteAccess;
  /** Registries, with the client's logins; "pull" asks them even for what the image store has. */
  remoteFor(resolveMode: string | undefined): RemoteAccess;
  /** Options of a frontend may say that directories are another session's. */
  noteLocalSessions(opt: FrontendOpt): void;
}

/** What {@link clientSources} works with. */
export interface ClientSourcesDeps {
  readonly parts: BuildParts;
  readonly sessions: Sessions;
  readonly session: Session | null;
  readonly job: BuildJob;
}

/** The sources of one build. */
export function clientSources({ parts, sessions, session, job }: ClientSourcesDeps, request: SolveRequest): ClientSources {
  const { store } = parts;
  const { signal } = job;
  const credentials = session === null ? undefined : sessionCredentials(session, { signal });
  const sessionOf = (id: string, opts: Opts) => localSession(id === "" ? request.session : id, sessions, opts.signal ?? signal);
  const access = { credentials, layouts: clientLayouts(sessionOf) };
  const remotes = { usual: parts.remote({ pull: false, ...access }), pull: parts.remote({ pull: true, ...access }) };
  const rawRemoteFor = (mode: string | undefined) => (mode === "pull" ? remotes.pull : remotes.usual);
  let localSessions = withPrefix(request.frontendAttrs, "local-sessionid:");
  const directories = clientDirectories(store, (local, id, opts) => sessionOf(id ?? localSessions[local] ?? "", opts));
  const own = {
    local: directories.source,
    resolved: resolvedOnce(),
    aroundHttp: session === null ? undefined : (downloads: Source) => uploadSource(store, session, downloads),
  };
  const resolving = { job, session, store, own, remoteFor: rawRemoteFor };
  const policy = clientPolicy(request, {
    sessions,
    signal,
    resolve: async (question, rules) => await resolveSource(resolving, question, (source) => rules(source, { signal })),
  });
  return {
    own,
    policy,
    resolving,
    remote: remotes.usual,
    remoteFor: (mode) => policedRemote(rawRemoteFor(mode), policy.policy),
    noteLocalSessions(opt) {
      localSessions = { ...localSessions, ...withPrefix(opt, "local-sessionid:") };
    },
    [Symbol.dispose]() {
      directories[Symbol.dispose]();
      remotes.usual[Symbol.dispose]();
      remotes.pull[Symbol.dispose]();
    },
  };
}
