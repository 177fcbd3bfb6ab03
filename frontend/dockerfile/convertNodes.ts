import type { SourceRange } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { ChownOpt, FileActionBody, LinuxResources, OpBody, OpMetadata, UserOpt } from "../../solver/llb/op.js";
import type { Output } from "../../solver/llb/state.js";

/** What a step has besides its op. */
export interface StepInfo {
  /** Display name. */
  readonly name: string;
  readonly at: readonly SourceRange[];
  readonly ignoreCache: boolean;
  /** Only execs and images depend on it. */
  readonly platform: Platform | null;
  /** Steps that are shown as one. */
  readonly group?: OpMetadata["progressGroup"];
  /** Limits of an exec. */
  readonly resources?: LinuxResources | null;
}

/** First output of a new step. */
export function step(body: OpBody, inputs: readonly Output[], info: StepInfo): Output {
  const { name, at, ignoreCache, platform, group = null, resources = null } = info;
  const limits = resources === null ? {} : { linuxResources: resources };
  const metadata = { ignoreCache, description: { "llb.customname": name }, caps: [], progressGroup: group, ...limits };
  return { node: { body, inputs, platform, metadata, at }, index: 0 };
}

/** A source step. */
export function sourceStep(
  identifier: string,
  attrs: Readonly<Record<string, string>>,
  name: string,
  at: readonly SourceRange[],
  platform: Platform | null,
): Output {
  return step({ kind: "source", identifier, attrs }, [], { name, at, ignoreCache: false, platform });
}

/** One change of a file step. `source` is the tree that a copy reads. `owner` gets the input that names are looked up in. */
export interface FileChange {
  readonly source?: Output | null;
  readonly action: (owner: (spec: string) => ChownOpt | null) => FileActionBody;
}

/** A file step on `base`: the changes in order, each on the result of the one before. */
export function fileStep(base: Output | null, changes: readonly FileChange[], info: StepInfo): Output {
  const inputs: Output[] = [];
  const indexOf = (output: Output | null | undefined): number => (output ? addInput(inputs, output) : -1);
  const baseIndex = indexOf(base);
  const sources = changes.map((change) => indexOf(change.source));
  const owner = (spec: string): ChownOpt | null => parseOwner(spec, baseIndex);
  const actions = changes.map((change, i) => ({
    input: i === 0 ? baseIndex : inputs.length + i - 1,
    secondaryInput: sources[i] ?? -1,
    output: i === changes.length - 1 ? 0 : -1,
    action: change.action(owner),
  }));
  return step({ kind: "file", actions }, inputs, { ...info, platform: null });
}

/** Trees on top of each other, lowest first. */
export function mergeStep(layers: readonly Output[], info: StepInfo): Output {
  const inputs: Output[] = [];
  return step({ kind: "merge", inputs: layers.map((layer) => addInput(inputs, layer)) }, inputs, { ...info, platform: null });
}

/** Index of `output` in `inputs`, where it is put when new. */
export function addInput(inputs: Output[], output: Output): number {
  const known = inputs.findIndex((input) => input.node === output.node && input.index === output.index);
  return known >= 0 ? known : inputs.push(output) - 1;
}

/** A file with these bytes in an otherwise empty tree. */
export function inlineFile(path: string, mode: number, data: Uint8Array, at: SourceRange): Output {
  const action = () => ({ kind: "mkfile", path, mode, data, owner: null, timestamp: -1n }) as const;
  const name = "[internal] preparing inline document";
  return fileStep(null, [{ action }], { name, at: [at], ignoreCache: false, platform: null });
}

function parseOwner(spec: string, input: number): ChownOpt | null {
  if (spec === "") return null;
  const colon = spec.indexOf(":");
  const user = colon < 0 ? spec : spec.slice(0, colon);
  return { user: parseId(user, input), group: colon < 0 ? null : parseId(spec.slice(colon + 1), input) };
}

function parseId(text: string, input: number): UserOpt {
  if (text === "root" || text === "") return { id: 0 };
  return /^\d+$/.test(text) && Number(text) <= 0x7fffffff ? { id: Number(text) } : { name: text, input };
}
