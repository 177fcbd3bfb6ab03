import { statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import { bringer } from "../../image/absent.js";
import { withNestedSolve } from "../../nestedSolve.js";
import type { DaemonBuild } from "../daemonBuild.js";
import type { ClientRun } from "./clientRun.js";
import type { ClientSolver } from "./clientSolver.js";
import { type Containers, createContainers } from "./containers.js";
import { givenOf, type Wanted } from "./given.js";
import { type ProcessParts, runProcesses } from "./processes.js";
import { readRefDirectory, readRefFile, statRefFile } from "./readRef.js";

/** The part of a build that is about containers. */
export type ContainerCalls = Pick<
  DaemonBuild,
  "newContainer" | "releaseContainer" | "execProcess" | "readFileContainer" | "readDirContainer" | "statFileContainer"
>;

/** The containers of a build of a client. Disposing removes them. */
export function clientContainers(run: ClientRun, solver: ClientSolver): AsyncDisposable & { readonly calls: ContainerCalls } {
  const { running, session, job, entitlements, refs } = run;
  const { signal } = job;
  const { store, executor } = running.parts;
  const depsFor = async (wanted: Wanted) => {
    const given = await givenOf(session, wanted, { signal });
    const bringHere = bringer(store, running.remote.refetch);
    return withNestedSolve(running, { store, executor, sources: [], ...given, logs: running.logs, epoch: null, bringHere, isRead: () => true });
  };
  const containers = createContainers({ depsFor, refOf: async (id) => refs.resultOf(id) ?? (await solver.solve(refs.get(id))), entitlements, signal });
  return { calls: containerCalls({ containers, depsFor, entitlements }), [Symbol.asyncDispose]: () => containers[Symbol.asyncDispose]() };
}

/** What a client may ask of its containers. */
export function containerCalls(parts: ProcessParts & { readonly containers: Containers }): ContainerCalls {
  const { containers } = parts;
  return {
    newContainer: (request) => containers.create(request),
    releaseContainer: (id) => containers.release(id),
    execProcess: (messages, signal) => runProcesses(parts, messages, signal),
    readFileContainer: async ({ ref, mountIndex, filePath, range }) => ({ data: readRefFile(shownBy(containers, ref, mountIndex), filePath, range) }),
    readDirContainer: async ({ ref, mountIndex, dirPath, includePattern }) => ({
      entries: readRefDirectory(shownBy(containers, ref, mountIndex), dirPath, includePattern),
    }),
    statFileContainer: async ({ ref, mountIndex, path: file }) => ({ stat: statRefFile(shownBy(containers, ref, mountIndex), file) }),
  };
}

/** Directory that a mount of a container shows. A mounted file is in the directory of this machine that holds it. */
function shownBy(containers: Containers, id: string, index: number): string {
  const shown = containers.get(id).shown[index];
  if (shown === undefined) throw new TbuildError("not_found", `Cannot read mount ${index} of container "${id}": it has no such mount`);
  if (shown !== null && statSync(shown).isDirectory()) return shown;
  throw new TbuildError("unsupported", `Cannot read mount ${index} of container "${id}": it is no directory (${path.basename(shown ?? "memory")})`);
}
