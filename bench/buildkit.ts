import { accessSync, constants } from "node:fs";
import path from "node:path";
import { run } from "./process.js";

/** BuildKit, with the store of a daemon that is running already. */
export interface Buildkit {
  /** The command that builds `dir` and throws the result away, or writes it as an OCI tar with gzip layers. */
  build(dir: string, tar: string | null): readonly string[];
  /** The same without a result, with a registry's cache that is read from or written to. */
  cached(dir: string, cache: { readonly from?: string; readonly to?: string }): readonly string[];
  /** Forgets everything that it has cached. */
  prune(): void;
}

/**
 * BuildKit behind a command line: `buildctl` with its options, or Docker's `docker buildx`. Without one it is buildctl from
 * the PATH, if it is there and BUILDKIT_HOST says where the daemon is. Null when there is none.
 */
export function findBuildkit(command: string): Buildkit | null {
  const words = command.split(/\s+/).filter((word) => word !== "");
  if (words.at(-1) === "buildx") return buildx(words);
  if (words.length > 0) return buildctl(words);
  return process.env["BUILDKIT_HOST"] !== undefined && isOnPath("buildctl") ? buildctl(["buildctl"]) : null;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((dir) => {
    try {
      accessSync(path.join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function buildctl(words: readonly string[]): Buildkit {
  const build = (dir: string) => [...words, "build", "--progress", "plain", "--frontend", "dockerfile.v0", "--local", `context=${dir}`, "--local", `dockerfile=${dir}`];
  return {
    build: (dir, tar) => [...build(dir), ...(tar === null ? [] : ["--output", `type=oci,dest=${tar},compression=gzip`])],
    cached: (dir, { from, to }) => [...build(dir), ...flag("--import-cache", from), ...flag("--export-cache", to, ",mode=max")],
    prune: () => void run([...words, "prune", "--all"]),
  };
}

function buildx(words: readonly string[]): Buildkit {
  const build = (output: string) => [...words, "build", "--progress", "plain", "--provenance=false", "--output", output];
  return {
    build: (dir, tar) => [...build(tar === null ? "type=cacheonly" : `type=oci,dest=${tar},compression=gzip`), dir],
    cached: (dir, { from, to }) => [...build("type=cacheonly"), ...flag("--cache-from", from), ...flag("--cache-to", to, ",mode=max"), dir],
    prune: () => void run([...words, "prune", "--all", "--force"]),
  };
}

function flag(name: string, ref: string | undefined, rest = ""): readonly string[] {
  return ref === undefined ? [] : [name, `type=registry,ref=${ref},registry.insecure=true${rest}`];
}
