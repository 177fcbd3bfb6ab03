import type { ChownOpt, ExecMeta, ExecMount, FileOpAction, MountType, Op, OpBody, ProxyEnv, UserOpt } from "../../solver/llb/op.js";

/** An object as Go's encoding/json writes a message: without fields that have their default. */
type Json = Readonly<Record<string, unknown>>;

/**
 * A step as BuildKit's provenance shows it: `pb.Op` by Go's encoding/json, without its inputs. Attributes that are a session's
 * own are left out. Source: BuildKit, solver/pb/json.go, and the json tags of ops.pb.go.
 */
export function opJson({ body, platform, constraints }: Op): Json {
  return {
    Op: bodyJson(body),
    ...(platform === null ? {} : { platform: compact({ Architecture: platform.architecture, OS: platform.os, Variant: platform.variant, OSVersion: platform["os.version"] }) }),
    ...(constraints === null ? {} : { constraints: compact({ filter: constraints }) }),
  };
}

const OF_SESSION = new Set(["local.session", "local.unique"]);

function bodyJson(body: OpBody): Json {
  switch (body.kind) {
    case "source":
      return { source: compact({ identifier: body.identifier, attrs: Object.fromEntries(Object.entries(body.attrs).filter(([key]) => !OF_SESSION.has(key))) }) };
    case "exec":
      return {
        exec: compact({
          meta: metaJson(body.meta),
          mounts: body.mounts.map(mountJson),
          network: ["unset", "host", "none"].indexOf(body.network),
          security: ["sandbox", "insecure"].indexOf(body.security),
          secretenv: body.secretEnv.map(({ id, name, optional }) => compact({ ID: id, name, optional })),
          cdiDevices: body.cdiDevices.map(compact),
        }),
      };
    case "file":
      return { file: compact({ actions: body.actions.map(actionJson) }) };
    case "merge":
      return { merge: compact({ inputs: body.inputs.map((input) => compact({ input })) }) };
    case "diff":
      return { diff: { lower: compact({ input: body.lower }), upper: compact({ input: body.upper }) } };
    case "build":
      return {
        build: compact({
          builder: body.builder,
          inputs: Object.fromEntries(Object.entries(body.inputs).map(([name, input]) => [name, compact({ input })])),
          attrs: body.attrs,
        }),
      };
    case "passthrough":
      return { passthrough: compact({ id: body.id, outputs: body.outputs }) };
  }
}

function metaJson(meta: ExecMeta): Json {
  const { args, env, cwd, user, hostname, cgroupParent, removeMountStubsRecursive, validExitCodes, proxyEnv, extraHosts, ulimits } = meta;
  return compact({
    args,
    env,
    cwd,
    user,
    proxy_env: proxyEnv === null ? null : proxyJson(proxyEnv),
    extraHosts: extraHosts.map(({ host, ip }) => compact({ Host: host, IP: ip })),
    hostname,
    ulimit: ulimits.map(({ name, soft, hard }) => compact({ Name: name, Soft: soft, Hard: hard })),
    cgroupParent,
    removeMountStubsRecursive,
    validExitCodes,
  });
}

/** Proxies may have passwords in their URLs: that there is one is all that is told. */
function proxyJson({ http, https, ftp, no, all }: ProxyEnv): Json {
  const shown = (value: string) => (value === "" ? "" : "***");
  return compact({ http_proxy: shown(http), https_proxy: shown(https), ftp_proxy: shown(ftp), no_proxy: no, all_proxy: shown(all) });
}

function mountJson({ input, selector, dest, output, readonly, type, contentCache }: ExecMount): Json {
  const mountType = ["bind", "secret", "ssh", "cache", "tmpfs"].indexOf(type.kind);
  return compact({ input, selector, dest, output, readonly, mountType, ...typeJson(type), contentCache: ["default", "on", "off"].indexOf(contentCache) });
}

function typeJson(type: MountType): Json {
  switch (type.kind) {
    case "bind":
      return {};
    case "tmpfs":
      return { TmpfsOpt: compact({ size: type.size }) };
    case "cache":
      return { cacheOpt: compact({ ID: type.id, sharing: ["shared", "private", "locked"].indexOf(type.sharing) }) };
    case "secret":
    case "ssh": {
      const { id, uid, gid, mode, optional } = type;
      return { [type.kind === "secret" ? "secretOpt" : "SSHOpt"]: compact({ ID: id, uid, gid, mode, optional }) };
    }
  }
}

function actionJson({ input, secondaryInput, output, action }: FileOpAction): Json {
  const { kind, ...rest } = action;
  return { input, secondaryInput, output, Action: kind === "symlink" ? {} : { [kind]: fileJson(rest) } };
}

/** Names that are not ours on the wire. */
const WIRE_NAMES: Readonly<Record<string, string>> = {
  attemptUnpack: "attemptUnpackDockerCompatibility",
  includePatterns: "include_patterns",
  excludePatterns: "exclude_patterns",
  requiredPaths: "required_paths",
};

function fileJson(body: Json): Json {
  const fields = Object.entries(body).map(([name, value]) => [WIRE_NAMES[name] ?? name, fieldJson(name, value)] as const);
  return compact(Object.fromEntries(fields));
}

function fieldJson(name: string, value: unknown): unknown {
  if (name === "owner") return value === null ? null : ownerJson(value as ChownOpt);
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

function ownerJson({ user, group }: ChownOpt): Json {
  const one = (opt: UserOpt | null) => (opt === null ? null : { User: "name" in opt ? { byName: compact({ ...opt }) } : compact({ byId: opt.id }) });
  return compact({ user: one(user), group: one(group) });
}

function compact(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isDefault(field)));
}

function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
