import type { SourceRange } from "../../../cache/errors.js";
import type { ExecMount, ExecOp, MountType } from "../../../solver/llb/op.js";
import type { Output } from "../../../solver/llb/state.js";
import { cleanPath, rootedPath } from "../contextPaths.js";
import { addInput, fileStep } from "../convertNodes.js";
import { type StageContext, type StageState, workingDir } from "../convertState.js";
import { refused } from "../errors.js";
import type { MountOptions } from "./mountOptions.js";

/** A mount before inputs are numbered. */
export interface PlannedMount {
  readonly tree: Output | null;
  readonly selector: string;
  readonly dest: string;
  readonly readonly: boolean;
  readonly type: MountType;
  /** Becomes the op's next output; of a RUN only the root filesystem does. */
  readonly kept: boolean;
}

/** Everything that the `--mount`s of a RUN ask for. */
export interface PlannedMounts {
  readonly mounts: readonly PlannedMount[];
  readonly secretEnv: ExecOp["secretEnv"];
  /** Paths, rooted at "/", that are read of trees. */
  readonly reads: readonly { readonly tree: Output | null; readonly path: string }[];
}

/** Plans all mounts of the RUN at `at`. @throws {TbuildError} invalid_argument for a target or source that cannot be */
export function planMounts(all: readonly MountOptions[], s: StageState, c: StageContext, at: SourceRange): PlannedMounts {
  const ssh = all.filter(({ kind }) => kind === "ssh");
  return {
    mounts: [
      ...all.filter(({ kind }) => kind === "bind" || kind === "cache" || kind === "tmpfs").map((m) => planTree(m, s, c, at)),
      ...all.filter(hasSecretFile).map(planSecret),
      ...ssh.map((mount, i) => planSsh(mount, i)),
    ],
    secretEnv: all
      .filter(({ env }) => env !== null)
      .map((mount) => ({ id: secretId(mount), name: secretVariable(mount), optional: !mount.required })),
    reads: all.map((mount) => ({ tree: treeOf(mount, c), path: rootedPath(mount.source) })),
  };
}

/** Numbers inputs and outputs. Trees go in the order of their targets, the others after them, as they were given. */
export function numberMounts(planned: readonly PlannedMount[], inputs: Output[]): readonly ExecMount[] {
  const isTree = ({ type }: PlannedMount): boolean => type.kind !== "secret" && type.kind !== "ssh";
  const trees = planned.filter(isTree).sort((a, b) => Buffer.compare(Buffer.from(a.dest), Buffer.from(b.dest)));
  let outputs = 0;
  return [...trees, ...planned.filter((mount) => !isTree(mount))].map((mount) => ({
    input: mount.tree === null ? -1 : addInput(inputs, mount.tree),
    selector: mount.selector,
    dest: mount.dest,
    output: mount.kept ? outputs++ : -1,
    readonly: mount.readonly,
    type: mount.type,
    contentCache: "default",
  }));
}

function planTree(mount: MountOptions, s: StageState, c: StageContext, at: SourceRange): PlannedMount {
  if (mount.target === "") throw refused(`Cannot mount a ${mount.kind} without a target`, mount.at, "Give target=/some/path");
  const dest = mount.target.startsWith("/") ? mount.target : rootedPath(`${workingDir(s)}/${mount.target}`);
  if (cleanPath(dest) === "/") throw refused(`Cannot mount over the root: the target is "/"`, mount.at, "Give target=/some/path");
  const tree = treeOf(mount, c);
  const source = rootedPath(mount.source);
  const selector = source === "/" ? "" : source;
  const plain = { tree, selector, dest, readonly: mount.readonly, type: typeOf(mount, c), kept: false };
  if (selector !== "" || !ownsDir(mount)) return plain;
  return { ...plain, tree: withCacheDir(mount, tree, at), selector: "/cache" };
}

function treeOf(mount: MountOptions, c: StageContext): Output | null {
  if (mount.kind === "tmpfs") return null;
  if (mount.from !== null) return c.sourceOf(mount.from, mount.fromAt);
  return mount.kind === "bind" ? c.buildContext : null;
}

function typeOf(mount: MountOptions, c: StageContext): MountType {
  if (mount.kind === "tmpfs") return { kind: "tmpfs", size: mount.size };
  if (mount.kind !== "cache") return { kind: "bind" };
  const namespace = c.options.buildArgs.get("BUILDKIT_CACHE_MOUNT_NS") ?? "";
  const id = mount.id === "" ? cleanPath(mount.target) : mount.id;
  return { kind: "cache", id: `${namespace}/${id}`, sharing: mount.sharing };
}

function ownsDir({ mode, uid, gid }: MountOptions): boolean {
  return mode !== null || uid !== null || gid !== null;
}

/** What a new cache starts with: a directory with the owner and mode asked for. */
function withCacheDir(mount: MountOptions, tree: Output | null, at: SourceRange): Output {
  const owner = { user: { id: mount.uid ?? 0 }, group: { id: mount.gid ?? 0 } };
  const mode = (mount.mode ?? 0o755) & 0o777;
  const info = { name: "[internal] setting cache mount permissions", at: [at], ignoreCache: false, platform: null };
  const action = () => ({ kind: "mkdir", path: "/cache", mode, makeParents: false, owner, timestamp: -1n }) as const;
  return fileStep(tree, [{ action }], info);
}

function hasSecretFile(mount: MountOptions): boolean {
  return mount.kind === "secret" && (mount.env === null || mount.target !== "");
}

/** What a secret mount asks for: its id, else the last part of where it is mounted. */
export function secretId(mount: MountOptions): string {
  return mount.source || mount.id || baseName(mount.target);
}

/** Variable that a secret goes into; without a name of its own it is called like the secret. */
export function secretVariable(mount: MountOptions): string {
  return mount.env || secretId(mount);
}

function planSecret(mount: MountOptions): PlannedMount {
  const id = secretId(mount);
  const owner = { uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: mount.mode ?? 0o400 };
  const dest = mount.target || `/run/secrets/${baseName(id)}`;
  const type = { kind: "secret", id, ...owner, optional: !mount.required } as const;
  return { tree: null, selector: "", dest, readonly: false, type, kept: false };
}

function planSsh(mount: MountOptions, index: number): PlannedMount {
  const owner = { uid: mount.uid ?? 0, gid: mount.gid ?? 0, mode: mount.mode ?? 0o600 };
  const dest = mount.target || `/run/buildkit/ssh_agent.${index}`;
  const type = { kind: "ssh", id: mount.id || "default", ...owner, optional: !mount.required } as const;
  return { tree: null, selector: "", dest, readonly: false, type, kept: false };
}

function baseName(path: string): string {
  return cleanPath(path).split("/").at(-1) ?? "";
}
