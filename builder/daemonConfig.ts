import type { TableReader } from "./configReader.js";

/** Settings of tbuild.toml that only the daemon reads. Null and empty lists are left to its defaults. */
export interface DaemonConfig {
  /** Root of the store. */
  readonly root: string | null;
  readonly debug: boolean;
  /** What builds may be allowed: "network.host", "security.insecure", "device". */
  readonly entitlements: readonly string[];
  /** `[grpc] address`. */
  readonly addresses: readonly string[];
  /** `[grpc] debugAddress`: where `/metrics` is answered. */
  readonly debugAddress: string | null;
  /** Owner of unix sockets. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** Paths of PEM files, `[grpc.tls]`. */
  readonly tls: { readonly cert: string | null; readonly key: string | null; readonly ca: string | null };
  readonly frontends: FrontendsConfig;
}

/** Settings of `[frontend]`: what may turn a client's files into graphs. */
export interface FrontendsConfig {
  /** `"dockerfile.v0"`, which is built in: also "for-images", Docker's images of it, or else these are run like any other. */
  readonly dockerfile: "for-images" | "alone" | "off";
  /** `"gateway.v0"`: those in images. */
  readonly images: boolean;
  /** Repositories that such images may be of, "example.com/team/frontend"; none: all. */
  readonly repositories: readonly string[];
}

/** Reads the daemon's keys of the whole file. @throws {TbuildError} parse_failed, with the line */
export function daemonConfig(file: TableReader | undefined): DaemonConfig {
  const grpc = file?.table("grpc");
  const tls = grpc?.table("tls");
  const frontend = file?.table("frontend");
  const gateway = frontend?.table("gateway.v0");
  return {
    root: file?.text("root") ?? null,
    debug: file?.bool("debug") ?? false,
    entitlements: file?.texts("insecure-entitlements") ?? [],
    addresses: grpc?.texts("address") ?? [],
    debugAddress: grpc?.text("debugAddress") ?? null,
    uid: grpc?.integer("uid") ?? null,
    gid: grpc?.integer("gid") ?? null,
    tls: { cert: tls?.text("cert") ?? null, key: tls?.text("key") ?? null, ca: tls?.text("ca") ?? null },
    frontends: {
      dockerfile: builtIn(frontend?.table("dockerfile.v0")),
      images: gateway?.bool("enabled") ?? true,
      repositories: gateway?.texts("allowedRepositories") ?? [],
    },
  };
}

/** `replaceImages` is a key of our own. */
function builtIn(table: TableReader | undefined): FrontendsConfig["dockerfile"] {
  const [enabled, replaces] = [table?.bool("enabled") ?? true, table?.bool("replaceImages") ?? true];
  if (!enabled) return "off";
  return replaces ? "for-images" : "alone";
}
