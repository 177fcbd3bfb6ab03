import { setMaxListeners } from "node:events";
import type { CredentialStore } from "../../registry/credentials.js";
import type { Opts } from "../../../cache/content/store.js";
import { TbuildError } from "../../../cache/errors.js";
import { hostPlatform } from "../../../cache/oci/platform.js";
import { parseReference } from "../../../cache/oci/reference.js";
import type { OciLayout } from "../../../frontend/options.js";
import { redacted } from "../../../frontend/dockerfile/gitUrl.js";
import { loadGraph, topologicalOrder } from "../../../solver/graph.js";
import type { Definition } from "../../../solver/llb/definition.js";
import { marshal } from "../../../solver/llb/marshal.js";
import type { Output } from "../../../solver/llb/state.js";
import type { SolveRequest } from "../../api/control.js";
import type { FrontendResultMessage, GatewaySolveRequest } from "../../api/gateway.js";
import { entitlementsOf } from "../../entitlements.js";
import { givenEpoch } from "../../epoch.js";
import { finishBuild } from "../../finish.js";
import { bringer } from "../../image/absent.js";
import { internalStep } from "../../internalStep.js";
import { openLogs } from "../../logs/buildLogs.js";
import { withNestedSolve } from "../../nestedSolve.js";
import { scratchRef, type SnapshotRef } from "../../ops/opDeps.js";
import { openTree, type ReadTree } from "../../ops/trees.js";
import type { Ref } from "../../../cache/ref.js";
import type { BuildParts, Running } from "../../run.js";
import { sessionCredentials } from "../../session/auth.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";
import { buildSources } from "../../source/mod.js";
import type { Source } from "../../source/source.js";
import { warnOnce } from "../../warnOnce.js";
import { type DaemonBuild, frontendMetadata, type OpenBuild, refsOf } from "../daemonBuild.js";
import { planDockerfile } from "../frontend/dockerfile.js";
import { type FrontendOpt, withPrefix } from "../frontend/frontendOpt.js";
import type { FrontendHost } from "../frontend/host.js";
import { answerSubrequest } from "../frontend/subrequest.js";
import type { BuildJob } from "../job.js";
import { clientDirectories } from "./clientDirectories.js";
import { clientLayouts } from "./clientLayouts.js";
import { clientExporter, outputsOf } from "./clientOutputs.js";
import { containerCalls } from "./containerCalls.js";
import { createContainers } from "./containers.js";
import { treeOf } from "./definitionTree.js";
import { givenBy, givenOf, nothingGiven, type Wanted, wantedBySource } from "./given.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";
import { refTable } from "./refTable.js";
import { plansOf, refResult, resultOf } from "./results.js";
import { sourceMeta } from "./sourceMeta.js";
import { solveTree } from "./solveTree.js";
import { uploadSource } from "./uploadSource.js";

/** What builds of clients are made of. */
export interface ClientBuildParts {
  readonly parts: BuildParts;
  readonly sessions: Sessions;
  /** Entitlements that the daemon lets clients use, such as "network.host". */
  readonly allowed: readonly string[];
}

/** Builds that clients drive. */
export function clientBuilds(deps: ClientBuildParts): OpenBuild {
  return async (request, job) => {
    const session = request.session === "" ? null : await deps.sessions.get(request.session, { signal: job.signal });
    // A build without its client has nobody to build for.
    const signal = session === null ? job.signal : AbortSignal.any([job.signal, session.closed]);
    setMaxListeners(0, signal);
    return clientBuild(deps, request, { ...job, signal }, session);
  };
}

function clientBuild({ parts, sessions, allowed }: ClientBuildParts, request: SolveRequest, job: BuildJob, session: Session | null): DaemonBuild {
  const { signal } = job;
  const { store } = parts;
  const refs = refTable();
  const logs = openLogs(store, job.report);
  const { report } = logs;
  const warn = warnOnce(report);
  const credentials: CredentialStore | undefined = session === null ? undefined : sessionCredentials(session, { signal });
  const sessionBy = async (id: string, opts: Opts = { signal }) => await clientSession(id === "" ? request.session : id, sessions, opts);
  const layouts = clientLayouts(sessionBy);
  const remotes = [false, true].map((pull) => parts.remote({ pull, credentials, layouts }));
  const remoteFor = (opt: FrontendOpt) => remotes[opt["image-resolve-mode"] === "pull" ? 1 : 0]!;
  const remote = remotes[0]!;
  let localSessions: Readonly<Record<string, string>> = withPrefix(request.frontendAttrs, "local-sessionid:");
  const directories = clientDirectories(store, async (local, opts) => await sessionBy(localSessions[local] ?? "", opts));
  const running = { parts, remote, logs, report, signal, epoch: null, request: { reproducible: false } };
  const entitlements = entitlementsOf({ allow: granted(request.entitlements, allowed) });
  const own = {
    local: directories.source,
    aroundHttp: session === null ? undefined : (downloads: Source) => uploadSource(store, session, downloads),
  };
  const solved = new Map<string, Promise<SnapshotRef | Ref>>();

  function solve(definition: Definition): Promise<Ref> {
    const key = keyOf(definition);
    const known = solved.get(key) ?? solveNow(definition);
    solved.set(key, known);
    return known;
  }
  async function solveNow(definition: Definition): Promise<Ref> {
    noteSources(job, definition);
    const given = await givenBy(session, topologicalOrder(loadGraph(definition)), { signal });
    return (await solveTree({ ...running, ...given }, definition, { ...own, entitlements })) ?? scratchRef;
  }
  async function open(definition: Definition): Promise<ReadTree> {
    const ref = await solve(definition);
    await internalBring(ref);
    return await openTree(store, ref);
  }
  const bringHere = bringer(store, remote.refetch);
  const internalBring = async (ref: Ref) => await bringHere([ref], silentStep(signal));

  async function frontend({ frontend: name, frontendOpt: opt, frontendInputs }: GatewaySolveRequest): Promise<FrontendResultMessage> {
    checkFrontend(name, opt);
    localSessions = { ...localSessions, ...withPrefix(opt, "local-sessionid:") };
    const inputs = new Map(Object.entries(frontendInputs).map(([key, definition]) => [key, treeOf(definition)]));
    const host: FrontendHost = { inputs, open: (tree: Output | null) => open(marshal(tree, [])) };
    const frontendParts = { remote: remoteFor(opt), secrets: nothingGiven.secrets, report, signal, noteSource: (info: Parameters<typeof job.sources.set>[1]) => void job.sources.set(info.filename, info) };
    const answer = await answerSubrequest(opt, host, frontendParts);
    if (answer !== null) return answer;
    const planned = await planDockerfile(opt, host, frontendParts);
    for (const { definition, warnings } of planned.plans) {
      noteSources(job, definition);
      warn(warnings);
    }
    return resultOf(planned, refs);
  }

  const depsFor = async (wanted: Wanted) =>
    withNestedSolve(running, { store, executor: parts.executor, sources: [], ...(await givenOf(session, wanted, { signal })), logs, epoch: null, bringHere, isRead: () => true });
  const containers = createContainers({ depsFor, refOf: (id) => solve(refs.get(id)), entitlements, signal });

  return {
    ...containerCalls({ containers, depsFor, entitlements }),
    async solve(asked) {
      const result = asked.definition === null || asked.definition.def.length === 0
        ? await frontendOrEmpty(asked, frontend)
        : refResult(asked.definition, refs);
      if (asked.evaluate) for (const id of refsOf(result)) await solve(refs.get(id));
      return result;
    },
    evaluate: async (ref) => void (await solve(refs.get(ref))),
    async readFile({ ref, filePath, range }) {
      await using tree = await open(refs.get(ref));
      return { data: readRefFile(tree.path, filePath, range) };
    },
    async readDir({ ref, dirPath, includePattern }) {
      await using tree = await open(refs.get(ref));
      return { entries: readRefDirectory(tree.path, dirPath, includePattern) };
    },
    async statFile({ ref, path }) {
      await using tree = await open(refs.get(ref));
      return { stat: statRefFile(tree.path, path) };
    },
    async resolveImageConfig({ ref, platform, resolveMode, logName, resolverType, sessionId, storeId }) {
      const access = remotes[resolveMode === "pull" ? 1 : 0]!;
      const name = logName === "" ? `resolve image config for ${ref}` : logName;
      const wanted = platform ?? hostPlatform();
      const image = await internalStep(report, name, signal, (opts) =>
        resolverType === OCI_LAYOUT
          ? access.resolveLayout(layoutOf(ref, storeId, sessionId), wanted, opts)
          : access.resolveImage(ref, wanted, opts),
      );
      return { digest: image.digest ?? "", config: Buffer.from(JSON.stringify(image.config)), ref: image.reference };
    },
    async resolveSourceMeta(asked) {
      const { source, platform, resolveMode, logName } = asked;
      const { identifier = "", attrs = {} } = source ?? {};
      const [, scheme, ref = ""] = /^(docker-image|oci-layout):\/\/(.*)$/s.exec(identifier) ?? [];
      if (scheme === undefined) {
        const sources = buildSources({ store, remote, ...own, ...(await givenOf(session, wantedBySource({ identifier, attrs }), { signal })) });
        const name = logName === "" ? `resolve ${redacted(identifier)}` : logName;
        return await internalStep(report, name, signal, (opts) => sourceMeta(sources, asked, opts));
      }
      const layout = { resolverType: scheme === "oci-layout" ? OCI_LAYOUT : 0, sessionId: attrs["oci.session"] ?? "", storeId: attrs["oci.store"] ?? "" };
      const { digest, config } = await this.resolveImageConfig({ ref, platform, resolveMode, logName, ...layout, sourcePolicies: [] });
      return { source, image: { digest: digest ?? "", config: config ?? new Uint8Array() } };
    },
    async finish(result) {
      if (result === null || (refsOf(result).length === 0 && outputsOf(request).length === 0)) return frontendMetadata(result);
      const { plans, root } = plansOf(result, refs);
      for (const { definition } of plans) noteSources(job, definition);
      const shape = { platforms: plans.map(({ platform }) => platform), root };
      const deps = { store, shape, refetch: remote.refetch, push: remote.push };
      const exporters = outputsOf(request).map((output, id) => clientExporter(output, id, session, deps));
      const steps = topologicalOrder(...plans.map((plan) => plan.root));
      const given = await givenBy(session, steps, { signal });
      const epoch = givenEpoch(request.frontendAttrs["build-arg:SOURCE_DATE_EPOCH"]);
      const run: Running = { ...running, ...given, epoch, request: { reproducible: epoch !== null } };
      const { metadata } = await finishBuild(run, plans, { exporters, root, entitlements, ...own, warn });
      return { ...frontendMetadata(result), ...metadata };
    },
    async [Symbol.asyncDispose]() {
      await containers[Symbol.asyncDispose]();
      await Promise.allSettled(solved.values());
      directories[Symbol.dispose]();
      logs[Symbol.dispose]();
      for (const access of remotes) access[Symbol.dispose]();
    },
  };
}

async function clientSession(id: string, sessions: Sessions, opts: Opts): Promise<Session> {
  if (id !== "") return await sessions.get(id, opts);
  throw new TbuildError("invalid_argument", "Cannot read what the client has: the build has no session");
}

/** `resolverType` of what is asked about the client's image layouts. */
const OCI_LAYOUT = 1;

function layoutOf(ref: string, store: string, session: string): OciLayout & { readonly session: string } {
  const { tag, digest } = parseReference(ref);
  if (digest !== null) return { kind: "oci-layout", path: store, tag, digest, session };
  throw new TbuildError("invalid_argument", `Cannot find "${ref}" in an image layout of the client: it names no digest`);
}

/** A graph is one whatever else is told of it. */
function keyOf({ def }: Definition): string {
  return Buffer.from(def.at(-1) ?? "").toString("base64");
}

/** Errors and warnings point into the texts that graphs come from. */
function noteSources({ sources }: BuildJob, { source }: Definition): void {
  for (const info of source.infos) sources.set(info.filename, info);
}

async function frontendOrEmpty(asked: GatewaySolveRequest, frontend: (asked: GatewaySolveRequest) => Promise<FrontendResultMessage>): Promise<FrontendResultMessage> {
  if (asked.frontend !== "") return await frontend(asked);
  return { refDeprecated: "", refsDeprecated: null, ref: { id: "", def: null }, refs: null, metadata: {}, attestations: {} };
}

/** Frontends of images that are Docker's own are the one that is built in. */
function checkFrontend(name: string, opt: FrontendOpt): void {
  if (name === "dockerfile.v0") return;
  const source = opt["source"] ?? "";
  if (name === "gateway.v0" && /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(source)) return;
  const shown = name === "gateway.v0" ? source : name;
  throw new TbuildError("unsupported", `Cannot run the frontend "${shown}": there is only the one for Dockerfiles`);
}

function granted(asked: readonly string[], allowed: readonly string[]): readonly string[] {
  const refused = asked.find((name) => /^(?:network\.host|security\.insecure|device)/.test(name) && !allowed.some((one) => name.startsWith(one)));
  if (refused !== undefined) throw new TbuildError("permission_denied", `${refused} is not allowed`);
  return asked.filter((name) => /^(?:network\.host|security\.insecure|device)/.test(name));
}

function silentStep(signal: AbortSignal): Parameters<ReturnType<typeof bringer>>[1] {
  const quiet = () => {};
  return { signal, report: { status: quiet, statusDone: quiet, log: quiet, warn: quiet } };
}
