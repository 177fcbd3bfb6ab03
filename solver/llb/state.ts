import type { SourceRange } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { ExecMeta, ExecMount, ExecOp, FileActionBody, OpBody, OpMetadata } from "./op.js";

/** A step that is being composed. Immutable; sharing a node in two places means one step. */
export interface Node {
  readonly body: OpBody;
  readonly inputs: readonly Output[];
  readonly platform: Platform | null;
  readonly metadata: OpMetadata;
  readonly at: readonly SourceRange[];
}

/** Output `index` of a step; null stands for the empty tree. */
export interface Output {
  readonly node: Node;
  readonly index: number;
}

/** What every step can carry beside its work. */
export interface NodeOpts {
  readonly platform?: Platform | null;
  readonly metadata?: Partial<OpMetadata>;
  readonly at?: readonly SourceRange[];
}

/** Metadata that says nothing. */
export const emptyMetadata: OpMetadata = { ignoreCache: false, description: {}, caps: [], progressGroup: null };

/** A copy action's settings when only `src` and `dest` are given: keep mode, owner and time; no wildcards. */
export const defaultCopy: Omit<Extract<FileActionBody, { kind: "copy" }>, "src" | "dest"> = {
  kind: "copy",
  owner: null,
  mode: -1,
  modeStr: "",
  followSymlink: false,
  dirCopyContents: false,
  attemptUnpack: false,
  createDestPath: false,
  allowWildcard: false,
  allowEmptyWildcard: false,
  timestamp: -1n,
  includePatterns: [],
  excludePatterns: [],
  alwaysReplaceExistingDestPaths: false,
  requiredPaths: [],
};

/** A process's settings before any is given. Mount stubs are removed, as BuildKit's client asks. */
export const defaultExecMeta: ExecMeta = {
  args: [],
  env: [],
  cwd: "/",
  user: "",
  proxyEnv: null,
  extraHosts: [],
  hostname: "",
  ulimits: [],
  cgroupParent: "",
  removeMountStubsRecursive: true,
  validExitCodes: [],
};

/** A step from its parts. Indices of `body` refer to `inputs`. */
export function node(body: OpBody, inputs: readonly Output[], opts: NodeOpts = {}): Node {
  const { platform = null, metadata = {}, at = [] } = opts;
  return { body, inputs, platform, metadata: { ...emptyMetadata, ...metadata }, at };
}

/** Output `index` of a step. */
export function output(of: Node, index = 0): Output {
  return { node: of, index };
}

/** Bytes from outside. Give a platform for images only: other sources are the same on all. */
export function source(identifier: string, attrs: Readonly<Record<string, string>> = {}, opts: NodeOpts = {}): Output {
  return output(node({ kind: "source", identifier, attrs }, [], opts));
}

/** A mount of {@link exec}: what it shows instead of the index of an input. */
export interface ComposedMount extends Partial<Omit<ExecMount, "input" | "output">> {
  readonly dest: string;
  /** Tree to mount; null or absent is the empty tree. */
  readonly from?: Output | null;
  /** True: what the process leaves there is an output of the step. Outputs are numbered in the order of `mounts`. */
  readonly keep?: boolean;
}

/** What {@link exec} takes. */
export interface ComposedExec extends Partial<Omit<ExecOp, "kind" | "meta" | "mounts">> {
  readonly meta: Partial<ExecMeta> & Pick<ExecMeta, "args">;
  /** In the order they are mounted; BuildKit's client sorts them by `dest`. */
  readonly mounts: readonly ComposedMount[];
}

/** A process. Output i of the node is the i-th mount with `keep`. */
export function exec({ meta, mounts, ...rest }: ComposedExec, opts: NodeOpts = {}): Node {
  const inputs = inputList();
  let outputs = 0;
  const indexed = mounts.map(({ from = null, keep = false, ...mount }): ExecMount => ({
    selector: "",
    readonly: false,
    type: { kind: "bind" },
    contentCache: "default",
    ...mount,
    input: inputs.indexOf(from),
    output: keep ? outputs++ : -1,
  }));
  const defaults = { network: "unset", security: "sandbox", secretEnv: [], cdiDevices: [] } as const;
  return node({ kind: "exec", ...defaults, ...rest, meta: { ...defaultExecMeta, ...meta }, mounts: indexed }, inputs.list, opts);
}

/** One action of {@link file}, on top of the one before it. */
export interface ComposedAction {
  readonly action: FileActionBody;
  /** What a copy reads: a tree, the result of action `i` of the same list, or null for the empty tree. */
  readonly from?: Output | number | null;
}

/** File actions, each on top of the one before it, the first on `base` (null: the empty tree). The last is output 0. */
export function file(base: Output | null, actions: readonly ComposedAction[], opts: NodeOpts = {}): Output {
  const inputs = inputList();
  const first = inputs.indexOf(base);
  const sources = actions.map(({ from = null }) => (typeof from === "number" ? from : inputs.indexOf(from)));
  const count = inputs.list.length;
  const indexed = actions.map(({ action, from }, i) => ({
    input: i === 0 ? first : count + i - 1,
    secondaryInput: typeof from === "number" ? count + from : (sources[i] ?? -1),
    output: i === actions.length - 1 ? 0 : -1,
    action,
  }));
  return output(node({ kind: "file", actions: indexed }, inputs.list, opts));
}

/** The trees on top of each other, lowest first. */
export function merge(layers: readonly Output[], opts: NodeOpts = {}): Output {
  const inputs = inputList();
  return output(node({ kind: "merge", inputs: layers.map((layer) => inputs.indexOf(layer)) }, inputs.list, opts));
}

/** What `upper` changes over `lower`; null is the empty tree. */
export function diff(lower: Output | null, upper: Output | null, opts: NodeOpts = {}): Output {
  const inputs = inputList();
  return output(node({ kind: "diff", lower: inputs.indexOf(lower), upper: inputs.indexOf(upper) }, inputs.list, opts));
}

/** Inputs of a step that is being composed, each once. */
function inputList(): { readonly list: readonly Output[]; indexOf(from: Output | null): number } {
  const list: Output[] = [];
  return {
    list,
    indexOf(from) {
      if (from === null) return -1;
      const known = list.findIndex((have) => have.node === from.node && have.index === from.index);
      return known >= 0 ? known : list.push(from) - 1;
    },
  };
}
