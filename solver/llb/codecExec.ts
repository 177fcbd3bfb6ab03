import { type Codec, child, children, flag, int, ints, mapped, message, oneOf, text, texts } from "./message.js";
import type { ExecMeta, ExecMount, ExecOp, KeyFile, MountType, ProxyEnv } from "./op.js";

/** pb.Meta. */
export const execMeta = message<ExecMeta>({
  args: texts(1),
  env: texts(2),
  cwd: text(3),
  user: text(4),
  proxyEnv: child(5, message<ProxyEnv>({ http: text(1), https: text(2), ftp: text(3), no: text(4), all: text(5) })),
  extraHosts: children(6, message<ExecMeta["extraHosts"][number]>({ host: text(1), ip: text(2) })),
  hostname: text(7),
  ulimits: children(9, message<ExecMeta["ulimits"][number]>({ name: text(1), soft: int(2), hard: int(3) })),
  cgroupParent: text(10),
  removeMountStubsRecursive: flag(11),
  validExitCodes: ints(12),
});

type CacheOpt = Omit<Extract<MountType, { kind: "cache" }>, "kind">;

const cacheOpt = message<CacheOpt>({ id: text(1), sharing: oneOf(2, ["shared", "private", "locked"]) });
// SecretOpt and SSHOpt have the same fields.
const keyFileOpt = message<KeyFile>({ id: text(1), uid: int(2), gid: int(3), mode: int(4), optional: flag(5) });

interface WireMount extends Omit<ExecMount, "type"> {
  readonly mountType: MountType["kind"];
  readonly tmpfs: { readonly size: number } | null;
  readonly cache: CacheOpt | null;
  readonly secret: KeyFile | null;
  readonly ssh: KeyFile | null;
}

const wireMountFields = {
  input: int(1),
  selector: text(2),
  dest: text(3),
  output: int(4),
  readonly: flag(5),
  mountType: oneOf(6, ["bind", "secret", "ssh", "cache", "tmpfs"]),
  tmpfs: child(19, message<{ readonly size: number }>({ size: int(1) })),
  cache: child(20, cacheOpt),
  secret: child(21, keyFileOpt),
  ssh: child(22, keyFileOpt),
  contentCache: oneOf(24, ["default", "on", "off"]),
} as const;

const wireMount = message<WireMount>(wireMountFields);

const mount = mapped(wireMount, mountToWire, mountFromWire);

/** A mount of a container that a client drives: it names a result instead of an input. */
export type ContainerMount = ExecMount & { readonly resultId: string };

/** pb.Mount of a container. */
export const containerMount: Codec<ContainerMount> = mapped(
  message<WireMount & { readonly resultId: string }>({ ...wireMountFields, resultId: text(23) }),
  (value) => ({ ...mountToWire(value), resultId: value.resultId }),
  ({ resultId, ...wire }) => ({ ...mountFromWire(wire), resultId }),
);

/** pb.SecretEnv. */
export const secretEnv = message<ExecOp["secretEnv"][number]>({ id: text(1), name: text(2), optional: flag(3) });

interface WireExec extends Omit<ExecOp, "kind" | "meta"> {
  readonly meta: ExecMeta | null;
}

/** pb.ExecOp. */
export const execOp: Codec<ExecOp> = mapped(
  message<WireExec>({
    meta: child(1, execMeta),
    mounts: children(2, mount),
    network: oneOf(3, ["unset", "host", "none"]),
    security: oneOf(4, ["sandbox", "insecure"]),
    secretEnv: children(5, secretEnv),
    cdiDevices: children(6, message<ExecOp["cdiDevices"][number]>({ name: text(1), optional: flag(2) })),
  }),
  (op) => op,
  (wire) => ({ kind: "exec", ...wire, meta: wire.meta ?? execMeta.decode(new Uint8Array()) }),
);

function mountToWire({ input, selector, dest, output, readonly, contentCache, type }: ExecMount): WireMount {
  return {
    input,
    selector,
    dest,
    // BuildKit's client leaves the output of these at 0 though they have none.
    output: isKeyFile(type.kind) ? 0 : output,
    readonly,
    contentCache,
    mountType: type.kind,
    tmpfs: type.kind === "tmpfs" ? type : null,
    cache: type.kind === "cache" ? type : null,
    secret: type.kind === "secret" ? type : null,
    ssh: type.kind === "ssh" ? type : null,
  };
}

function mountFromWire(wire: WireMount): ExecMount {
  const { mountType, tmpfs: _tmpfs, cache: _cache, secret: _secret, ssh: _ssh, ...rest } = wire;
  return { ...rest, output: isKeyFile(mountType) ? -1 : rest.output, type: mountTypeOf(wire) };
}

function mountTypeOf({ mountType, tmpfs, cache, secret, ssh }: WireMount): MountType {
  switch (mountType) {
    case "bind":
      return { kind: "bind" };
    case "tmpfs":
      return { kind: "tmpfs", size: tmpfs?.size ?? 0 };
    case "cache":
      return { kind: "cache", ...(cache ?? cacheOpt.decode(new Uint8Array())) };
    case "secret":
      return { kind: "secret", ...(secret ?? keyFileOpt.decode(new Uint8Array())) };
    case "ssh":
      return { kind: "ssh", ...(ssh ?? keyFileOpt.decode(new Uint8Array())) };
  }
}

function isKeyFile(kind: MountType["kind"]): boolean {
  return kind === "secret" || kind === "ssh";
}
