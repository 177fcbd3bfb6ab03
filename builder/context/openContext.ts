import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import { isArchive } from "../../cache/tree/unpack.js";
import type { Output } from "../../solver/llb/state.js";
import type { ReadTree } from "../ops/trees.js";
import type { LocalDirectory } from "../source/local.js";
import { type TextFile, readText } from "../textFile.js";
import { type MainContext, parseMainContext } from "./mainContext.js";
import { type ContextDeps, solvedTree } from "./solvedTree.js";
import { type Stdin, stdinFile } from "./stdinFile.js";
import { downloadStep, FILE, gitStep, stdinStep, unpackStep } from "./steps.js";

/** The build context as a directory that can be read until it is disposed. */
export interface OpenContext extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  /** "fetched": a copy of the store's own, for which no ignore file counts, as in BuildKit. */
  readonly origin: "directory" | "fetched";
  /** The Dockerfile, when that is all there is. */
  readonly dockerfile: TextFile | null;
  /** Seconds since the epoch of what was fetched; null when it has no time of its own. */
  readonly time: number | null;
  /** What was downloaded, for whoever asks when that was made; null for everything else. */
  readonly download: Output | null;
}

/** What is asked for. */
export interface ContextRequest {
  readonly context: string;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly stdin: Stdin;
}

/**
 * Opens the context of a build. What is fetched is kept in the store and is not fetched again while it has not changed.
 * @throws {TbuildError} not_found, invalid_argument, unauthorized, unavailable, digest_mismatch
 */
export async function openContext(request: ContextRequest, deps: ContextDeps): Promise<OpenContext> {
  // A directory is one, whatever its name looks like.
  if (statSync(request.context, { throwIfNoEntry: false })?.isDirectory() === true) return openDirectory(request.context);
  const context = parseMainContext(request.context);
  switch (context.kind) {
    case "directory":
      return openDirectory(context.path);
    case "git":
      return await openGit(context, request, deps);
    case "http":
      return await openFile(deps, downloadStep(context.url, context.checksum, context.shown), new Map(), context.shown);
    case "stdin":
      return await openStdin(request.stdin, deps);
  }
}

/** A directory, or an error that says what it is instead. */
export function openDirectory(given: string): OpenContext {
  const stat = statSync(given, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) {
    const what = stat === undefined ? "no such directory" : "not a directory";
    const hint = 'Give the directory that holds the Dockerfile, for example "."';
    throw new TbuildError("not_found", `Cannot use "${given}" as the build context: ${what}`, { hint });
  }
  return { path: path.resolve(given), origin: "directory", dockerfile: null, time: null, download: null, [Symbol.asyncDispose]: async () => {} };
}

async function openGit({ url, shown }: Extract<MainContext, { kind: "git" }>, { buildArgs }: ContextRequest, deps: ContextDeps): Promise<OpenContext> {
  const keep = /^(?:1|t|true)$/i.test(buildArgs?.["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "");
  const tree = await solvedTree(deps, gitStep(url, shown, keep));
  // The checkout has the time of its commit.
  return opened(tree, Math.floor(statSync(tree.path).mtimeMs / 1000));
}

async function openStdin(stdin: Stdin, deps: ContextDeps): Promise<OpenContext> {
  const dir = await stdinFile(deps.parts.store, stdin, "the context", deps.signal);
  return await openFile(deps, stdinStep(), new Map([["stdin", { path: dir, ignore: [] }]]), "standard input");
}

/** A file is an archive of the context, or the Dockerfile of an empty one. */
async function openFile(deps: ContextDeps, source: Output, locals: ReadonlyMap<string, LocalDirectory>, shown: string): Promise<OpenContext> {
  await using tree = await solvedTree(deps, source, locals);
  const file = path.join(tree.path, FILE);
  if (isArchive(file)) return opened(await solvedTree(deps, unpackStep(source), locals), null, locals.size === 0 ? source : null);
  const { bytes } = readText(file, shown);
  return { ...openDirectory(emptyDirectory(deps.parts.store)), origin: "fetched", dockerfile: { name: "Dockerfile", bytes } };
}

function opened(tree: ReadTree, time: number | null, download: Output | null = null): OpenContext {
  return { path: tree.path, origin: "fetched", dockerfile: null, time, download, [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose]() };
}

function emptyDirectory(store: Store): string {
  const dir = path.join(store.scratch, "empty");
  mkdirSync(dir, { recursive: true });
  return dir;
}
