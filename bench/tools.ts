import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { busyboxTar } from "../fixtures/busybox.js";
import { makeDisk } from "./disk.js";
import { run } from "./process.js";

/** Image that every case builds on, in both stores. */
export const BENCH_BASE = "localhost/bench-base:1";

/** A build tool with a store of its own. */
export interface Tool {
  readonly name: string;
  /** Directory on a file system of the tool's own. */
  readonly disk: string;
  /** Makes the base image known. */
  prepare(rootfsTar: string): void;
  /** The command that builds `dir`, writing an OCI tar when `tar` is given. The image's name is "bench:1" without one. */
  build(dir: string, round: string, tar: string | null, name?: string): readonly string[];
  /** The command that brings an image from a registry into `store`, a new directory below the disk. */
  pull(name: string, store: string): readonly string[];
  /** The command that sends a built image to the registry that its name says. */
  push(name: string): readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Removes the store. */
  clear(): void;
}

/** tbuild as its users run it, with its store in a directory. */
export function tbuildAt(store: string): readonly string[] {
  return [process.execPath, path.resolve("bin/tbuild"), "--root", store];
}

/** The tool that is measured. */
export function tbuildTool(work: string): Tool {
  const disk = makeDisk(work, "tbuild");
  const root = path.join(disk.path, "store");
  const program = tbuildAt(root);
  return {
    name: "tbuild",
    disk: disk.path,
    env: process.env,
    prepare: (tar) => run([...program, "image", "import", tar, BENCH_BASE]),
    build: (dir, round, tar, name = "bench:1") => {
      const output = tar === null ? [] : ["-o", `type=oci,dest=${tar}`];
      return [...program, "build", "--progress", "plain", "-t", name, "--build-arg", `ROUND=${round}`, ...output, dir];
    },
    pull: (name, store) => [...tbuildAt(store), "image", "pull", name],
    push: (name) => [...program, "image", "push", name],
    clear: () => disk.remove(),
  };
}

/** Debian's buildah with layers, as its users run it. */
export function buildahTool(work: string): Tool {
  const conf = path.join(work, "containers.conf");
  writeFileSync(conf, '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]\n');
  const env = { ...process.env, CONTAINERS_CONF: conf };
  const disk = makeDisk(work, "buildah");
  const root = path.join(disk.path, "root");
  const at = (store: string) => ["buildah", "--root", store, "--runroot", path.join(disk.path, "run"), "--storage-driver", "overlay"];
  const program = at(root);
  return {
    name: "buildah",
    disk: disk.path,
    env,
    prepare: (tar) => buildahBase(program, env, tar),
    build: (dir, round, tar, name = "bench:1") => {
      const bud = [...program, "bud", "--layers", "--network", "host", "--isolation", "oci", "--runtime", "runc", "--build-arg", `ROUND=${round}`, "-t"];
      if (tar === null) return [...bud, name, dir];
      return ["sh", "-ec", `${[...bud, name, dir].join(" ")} && ${[...program, "push", "-q", name, `oci-archive:${tar}`].join(" ")}`];
    },
    pull: (name, store) => [...at(store), "pull", "-q", "--tls-verify=false", name],
    push: (name) => [...program, "push", "-q", "--tls-verify=false", name],
    clear: () => {
      spawnSync(program[0]!, [...program.slice(1), "rm", "-a"], { env });
      disk.remove();
    },
  };
}

function buildahBase(program: readonly string[], env: NodeJS.ProcessEnv, tar: string): void {
  const container = run([...program, "from", "scratch"], env).trim();
  run([...program, "add", "-q", container, tar, "/"], env);
  run([...program, "config", "--cmd", "sh", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", container], env);
  run([...program, "commit", "-q", container, BENCH_BASE], env);
}

/** Makes the root file system of the base image as a tar. */
export function baseTar(work: string): string {
  const tar = path.join(work, "base.tar");
  mkdirSync(work, { recursive: true });
  busyboxTar(path.join(work, "base"), tar);
  return tar;
}
