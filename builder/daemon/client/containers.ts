import { mkdirSync } from "node:fs";
import path from "node:path";
import { asyncStack } from "../../../cache/asyncStack.js";
import { cancelled, TbuildError } from "../../../cache/errors.js";
import type { Ref } from "../../../cache/ref.js";
import { mountTree } from "../../../cache/snapshot/mountTree.js";
import { defaultPath } from "../../../frontend/dockerfile/configImage.js";
import type { ExecMount } from "../../../solver/llb/op.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { NewContainerRequest } from "../../api/container.js";
import type { Entitlements } from "../../entitlements.js";
import type { BindMount } from "../../executor/executor.js";
import { SYSTEM_TARGETS, mountTargets } from "../../executor/runc.js";
import { mountStubs } from "../../executor/stubs.js";
import { asSnapshot } from "../../ops/localCopy.js";
import { openMounts } from "../../ops/mounts/openMounts.js";
import { type OpDeps, scratchRef } from "../../ops/opDeps.js";
import { outputTrees } from "../../ops/outputTrees.js";
import { newName } from "../../ops/snapshotStep.js";
import type { Wanted } from "./given.js";

/** A root file system with mounts, in which a client runs processes. */
export interface Container {
  readonly root: string;
  readonly readonlyRoot: boolean;
  readonly mounts: readonly BindMount[];
  /** Directory or file of this machine that each mount of the request shows; null for one that is none. */
  readonly shown: readonly (string | null)[];
  readonly network: "default" | "host" | "none";
  readonly hostname: string;
  /** PATH of processes that are given none. */
  readonly defaultPath: string;
  readonly extraHosts: NewContainerRequest["extraHosts"];
  readonly deps: OpDeps;
  /** Aborted when the container is to go. */
  readonly signal: AbortSignal;
  /** True once the client has let go of it. */
  readonly released: () => boolean;
  /** Aborted when the first process has ended, and with it the container as the client sees it: the others are killed. */
  readonly over: AbortSignal;
  /** Keeps the container until `process` has ended. The first one that is given is the one that all others depend on. */
  during<T>(process: Promise<T>): Promise<T>;
}

/** The containers of one build. Disposing ends their processes and removes them. */
export interface Containers extends AsyncDisposable {
  /** @throws {TbuildError} already_exists, invalid_argument, permission_denied, and what a step throws */
  create(request: NewContainerRequest): Promise<void>;
  /** Ends its processes and removes it. One that is not there is no error. @throws {TbuildError} cancelled when processes still ran */
  release(id: string): Promise<void>;
  /** @throws {TbuildError} not_found */
  get(id: string): Container;
}

/** What containers are made with. */
export interface ContainerParts {
  /** What openers of mounts work with, when a client gives these secrets and agents. */
  readonly depsFor: (wanted: Wanted) => Promise<OpDeps>;
  /** The result of an id that the client has. */
  readonly refOf: (id: string) => Promise<Ref>;
  readonly entitlements: Entitlements;
  /** Aborted when the build ends early. */
  readonly signal: AbortSignal;
}

interface Open extends Container {
  close(): Promise<void>;
}

/** No containers yet. */
export function createContainers(parts: ContainerParts): Containers {
  const open = new Map<string, Promise<Open>>();
  const release = async (id: string): Promise<void> => {
    const container = open.get(id);
    open.delete(id);
    await (await container?.catch(() => null))?.close();
  };
  const ready = new Map<string, Container>();
  return {
    async create(request) {
      const { containerId: id } = request;
      if (open.has(id)) throw new TbuildError("already_exists", `Container ${id} already exists`);
      const opening = openContainer(parts, request);
      open.set(id, opening);
      try {
        ready.set(id, await opening);
      } catch (error) {
        open.delete(id);
        throw error;
      }
    },
    async release(id) {
      ready.delete(id);
      await release(id);
    },
    get(id) {
      const container = ready.get(id);
      if (container !== undefined) return container;
      throw new TbuildError("not_found", `container "${id}" previously released or not created`);
    },
    async [Symbol.asyncDispose]() {
      ready.clear();
      await Promise.allSettled([...open.keys()].map(release));
    },
  };
}

async function openContainer(parts: ContainerParts, request: NewContainerRequest): Promise<Open> {
  if (request.network === "host" && !parts.entitlements.networkHost) throw new TbuildError("permission_denied", "network.host is not allowed");
  const wantedMount = request.mounts.find(({ dest }) => dest === "/");
  if (wantedMount === undefined) throw new TbuildError("invalid_argument", `Cannot make the container "${request.containerId}": it has no root file system`);
  const deps = await parts.depsFor(wantedBy(request));
  const opts: StepOpts = { signal: parts.signal, report: silent };
  const refs = await Promise.all(request.mounts.map(async ({ resultId }) => (resultId === "" ? scratchRef : await parts.refOf(resultId))));
  await deps.bringHere(refs, opts);
  const mounts = request.mounts.map((mount, index): ExecMount => ({ ...mount, input: mount.resultId === "" ? -1 : index, output: -1 }));
  const stack = asyncStack();
  try {
    const outputs = stack.use(outputTrees(deps.store));
    const { list } = stack.use(await openMounts(deps, { mounts }, refs, outputs, opts));
    const rootMount = mounts[request.mounts.indexOf(wantedMount)]!;
    const parent = await asSnapshot(deps.store, refs[mounts.indexOf(rootMount)]!, opts);
    const at = path.join(deps.store.scratch, "roots", newName());
    mkdirSync(at, { recursive: true });
    const tree = stack.use(await mountTree(await outputs.prepare(rootMount, parent), at));
    // Here and not with each process: one must not take away the mount points of another.
    const stubs = mountStubs(tree.path, [...SYSTEM_TARGETS, ...mountTargets({ mounts: list })]);
    stack.use({ [Symbol.asyncDispose]: async () => stubs[Symbol.dispose]() });
    return openedContainer(request, { root: tree.path, readonlyRoot: wantedMount.readonly, mounts: list, deps, outer: parts.signal, stack });
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

interface Opened extends Pick<Container, "root" | "readonlyRoot" | "mounts" | "deps"> {
  readonly outer: AbortSignal;
  readonly stack: AsyncDisposable;
}

function openedContainer({ mounts: requested, network, hostname, extraHosts, platform }: NewContainerRequest, { outer, stack, ...opened }: Opened): Open {
  const abort = new AbortController();
  const over = new AbortController();
  const working = new Set<Promise<unknown>>();
  let begun = false;
  const sources = new Map(opened.mounts.map((mount) => [mount.dest, mount.kind === "bind" ? mount.source : null]));
  return {
    ...opened,
    shown: requested.map(({ dest }) => (dest === "/" ? opened.root : (sources.get(dest) ?? null))),
    network: network === "unset" ? "default" : network,
    hostname,
    defaultPath: platform?.os === "windows" ? windowsPath : defaultPath,
    extraHosts,
    signal: AbortSignal.any([abort.signal, outer]),
    released: () => abort.signal.aborted,
    over: over.signal,
    async during(process) {
      const isFirst = !begun;
      begun = true;
      working.add(process);
      try {
        return await process;
      } finally {
        working.delete(process);
        if (isFirst) over.abort();
      }
    },
    async close() {
      abort.abort();
      const interrupted = working.size > 0;
      await Promise.allSettled(working);
      await stack[Symbol.asyncDispose]();
      if (interrupted) throw cancelled();
    },
  };
}

/** Source: BuildKit, util/system/path.go. */
const windowsPath = "c:\\Windows\\System32;c:\\Windows;C:\\Windows\\System32\\WindowsPowerShell\\v1.0";

function wantedBy({ mounts }: NewContainerRequest): Wanted {
  const ids = (kind: "secret" | "ssh") => mounts.flatMap(({ type }) => (type.kind === kind ? [type.id] : []));
  return { secrets: ids("secret"), agents: ids("ssh") };
}

const quiet = () => {};
const silent: StepOpts["report"] = { status: quiet, statusDone: quiet, log: quiet, warn: quiet };
