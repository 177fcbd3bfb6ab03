import { asyncStack } from "../../cache/asyncStack.js";
import type { CopyAction, FileAction, Owner } from "../../cache/bulk/actionJobs.js";
import type { Ref } from "../../cache/ref.js";
import { toBytes } from "../../cache/tree/names.js";
import { selectRoots } from "../../cache/tree/select.js";
import type { ChownOpt, FileOp, FileOpAction, UserOpt } from "../../solver/llb/op.js";
import type { Vertex } from "../../solver/graph.js";
import type { InputKey, OpRunner, StepOpts } from "../../solver/opRunner.js";
import { type Accounts, groupId, readAccounts, userIds } from "../executor/user.js";
import { fileAttributes } from "./attributes.js";
import { type FailedStep, type FailedTrees, failedStepOf, noteFailedStep } from "./failedStep.js";
import { wholeInput } from "./contentKey.js";
import { actionChains, type ActionChain } from "./fileChains.js";
import { explainMissingPath, type PathsRead, pathsInput } from "./missingPath.js";
import { type OpDeps, scratchRef, type SnapshotRef } from "./opDeps.js";
import { asSnapshot } from "./localCopy.js";
import { opDigest } from "./opDigest.js";
import { type CopyBody, requiredBy, selectionOf } from "./selection.js";
import { snapshotStep } from "./snapshotStep.js";
import { openTree, type ReadTree } from "./trees.js";

/** Copies, makes and removes files; each output is a snapshot. */
export function fileRunner(deps: OpDeps, op: FileOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return {
        digest: opDigest(vertex.op),
        attributes: fileAttributes(op),
        inputs: vertex.inputs.map((_, index) => inputKey(deps, op, index, vertex)),
      };
    },
    async exec(vertex, inputs, opts) {
      try {
        return await runChains(deps, op, inputs, opts);
      } catch (error) {
        const better = await explained(error, deps, op, vertex, inputs);
        const failed = failedStepOf(error);
        if (failed !== undefined) noteFailedStep(better, failed);
        throw better;
      }
    },
  };
}

/** What is only copied from counts by its bytes. */
function inputKey({ store }: OpDeps, op: FileOp, index: number, vertex: Vertex): InputKey<Ref> {
  if (op.actions.some(({ input }) => input === index)) return wholeInput(store);
  return pathsInput(store, copiedFrom(op, index, vertex));
}

function copiedFrom(op: FileOp, index: number, vertex: Vertex): PathsRead {
  const selections = op.actions.flatMap(({ action, secondaryInput }) =>
    action.kind === "copy" && secondaryInput === index ? [selectionOf(action), ...requiredBy(action)] : [],
  );
  return { doing: "copy", index, from: vertex.inputs[index]?.vertex, selections, at: vertex.at[0] };
}

/** Where an op's input would be, for the empty tree. */
const EMPTY = -1;

/** Where an input counts as a whole, a path that is not there shows only when it is copied. */
async function explained(error: unknown, deps: OpDeps, op: FileOp, vertex: Vertex, inputs: readonly Ref[]): Promise<unknown> {
  for (const [index, ref] of [[EMPTY, scratchRef] as const, ...inputs.entries()]) {
    const better = await explainMissingPath(error, deps.store, ref, copiedFrom(op, index, vertex));
    if (better !== error) return better;
  }
  return error;
}

async function runChains(deps: OpDeps, op: FileOp, inputs: readonly Ref[], opts: StepOpts): Promise<readonly Ref[]> {
  const results = new Map<number, Ref>();
  const refOf = (input: number): Ref => (input < 0 ? scratchRef : (inputs[input] ?? results.get(input - inputs.length) ?? scratchRef));
  const outputs: Ref[] = [];
  for (const chain of actionChains(op, inputs.length)) {
    let tree = refOf(chain.input);
    const ref = await runChain(deps, chain, refOf, opts, (half) => (tree = half)).catch(async (error: unknown) => {
      if (deps.failed !== undefined) noteFailedStep(error, await halfMade(deps.failed, op, { inputs, results, chain, tree }));
      throw error;
    });
    results.set(chain.last, ref);
    if (chain.output >= 0) outputs[chain.output] = ref;
  }
  return outputs;
}

interface HalfMade {
  readonly inputs: readonly Ref[];
  /** Of the chains before, by their last action. */
  readonly results: ReadonlyMap<number, Ref>;
  readonly chain: ActionChain;
  /** What has become of the chain's tree. */
  readonly tree: Ref;
}

/** What the actions have begun with and left. That one of a chain has failed is said of its last one, whose tree it is. */
async function halfMade(failed: Pick<FailedTrees, "keep">, op: FileOp, { inputs, results, chain, tree }: HalfMade): Promise<FailedStep> {
  for (const made of results.values()) await failed.keep(made);
  if (!inputs.includes(tree) && ![...results.values()].includes(tree)) await failed.keep(tree);
  const trees = new Map([...results, [chain.last, tree]]);
  return { inputs, mounts: op.actions.map((_, index) => trees.get(index) ?? null), subject: { kind: "file", index: chain.last } };
}

/** One chain of actions on one tree is one snapshot. */
async function runChain(deps: OpDeps, chain: ActionChain, refOf: (input: number) => Ref, opts: StepOpts, salvage: (tree: Ref) => void): Promise<SnapshotRef> {
  const base = await asSnapshot(deps.store, refOf(chain.input), opts);
  await using stack = asyncStack();
  const sources = new Map<number, ReadTree>();
  for (const { action, secondaryInput } of chain.actions) {
    if (action.kind !== "copy" || sources.has(secondaryInput)) continue;
    sources.set(secondaryInput, stack.use(await openTree(deps.store, refOf(secondaryInput))));
  }
  for (const { action, secondaryInput } of chain.actions) {
    if (action.kind === "copy") requireAll(action, sources.get(secondaryInput)!);
  }
  const work = async (root: string) => {
    const accounts = needsAccounts(chain.actions) ? readAccounts(root) : { users: [], groups: [] };
    const actions = chain.actions.map((item) => fileAction(item, sources, accounts, deps.epoch));
    await deps.store.bulk.run("fileActions", { root, actions }, { signal: opts.signal, onProgress: copyProgress(actions, opts) });
  };
  return await snapshotStep(deps.store, base, work, deps.failed === undefined || opts.signal.aborted ? undefined : salvage);
}

/** @throws {TbuildError} not_found */
function requireAll(action: CopyBody, { path, ignore }: ReadTree): void {
  for (const required of requiredBy(action)) selectRoots(toBytes(path), ignore, required);
}

function copyProgress(actions: readonly FileAction[], opts: StepOpts) {
  if (!actions.some((action) => action.kind === "copy")) return undefined;
  return ({ bytes }: { readonly bytes: number }) => opts.report.status("copying", bytes, 0);
}

function fileAction(item: FileOpAction, sources: ReadonlyMap<number, ReadTree>, accounts: Accounts, epoch: number | null): FileAction {
  const { action } = item;
  switch (action.kind) {
    case "copy":
      return copyAction(action, sources.get(item.secondaryInput)!, accounts, epoch);
    case "mkdir": {
      const { path, mode, makeParents } = action;
      return { kind: "mkdir", path, mode, makeParents, owner: ownerOf(action.owner, accounts), mtime: mtimeOf(action.timestamp, epoch) };
    }
    case "mkfile": {
      const { path, mode, data } = action;
      return { kind: "mkfile", path, mode, data, owner: ownerOf(action.owner, accounts), mtime: mtimeOf(action.timestamp, epoch) };
    }
    case "rm":
      return { kind: "rm", path: action.path, allowNotFound: action.allowNotFound, wildcard: action.allowWildcard };
    case "symlink": {
      const mtime = mtimeOf(action.timestamp, epoch);
      return { kind: "symlink", target: action.oldpath, path: action.newpath, owner: ownerOf(action.owner, accounts), mtime };
    }
  }
}

/**
 * Files of a local directory belong to root and carry the build's epoch; files of a stage stay as they are. Owners in an
 * archive are its author's wherever it comes from.
 */
function copyAction(action: CopyBody, source: ReadTree, accounts: Accounts, epoch: number | null): CopyAction {
  const owner = ownerOf(action.owner, accounts);
  return {
    kind: "copy",
    sourceRoot: source.path,
    ignore: source.ignore,
    selection: selectionOf(action),
    dest: action.dest,
    owner: owner ?? (source.local ? { uid: 0, gid: 0 } : null),
    mode: action.mode < 0 ? null : action.mode,
    modeText: action.modeStr === "" ? null : action.modeStr,
    createDestPath: action.createDestPath,
    unpack: action.attemptUnpack,
    archiveOwner: owner,
    replaceExisting: action.alwaysReplaceExistingDestPaths,
    mtime: mtimeOf(action.timestamp, source.local ? epoch : null),
  };
}

const NANOSECONDS = 1_000_000_000n;

/** Seconds; the op's own time wins over the build's epoch. */
function mtimeOf(timestamp: bigint, epoch: number | null): number | null {
  return timestamp === -1n ? epoch : Number(timestamp / NANOSECONDS);
}

function needsAccounts(actions: readonly FileOpAction[]): boolean {
  const named = (option: UserOpt | null | undefined) => option !== null && option !== undefined && "name" in option;
  return actions.some(({ action }) => "owner" in action && (named(action.owner?.user) || named(action.owner?.group)));
}

/** A user by name brings its own group, one by number the group of that number, unless another one is asked for. */
function ownerOf(option: ChownOpt | null, accounts: Accounts): Owner | null {
  if (option === null) return null;
  const { uid, gid } = userOf(option.user, accounts);
  if (option.group === null) return { uid, gid };
  return { uid, gid: "id" in option.group ? option.group.id : groupId(option.group.name, accounts) };
}

function userOf(option: UserOpt | null, accounts: Accounts): Owner {
  if (option === null) return { uid: 0, gid: 0 };
  return "id" in option ? { uid: option.id, gid: option.id } : userIds(option.name, accounts);
}
