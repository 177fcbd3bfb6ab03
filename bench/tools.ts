import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { busyboxTar } from "../fixtures/busybox.js";

/** Image that every case builds on, in both stores. */
export const BENCH_BASE = "localhost/bench-base:1";

/** One measured run. */
export interface Sample {
  readonly seconds: number;
  /** Largest resident set of any process of it. */
  readonly peakMb: number;
}

/** A build tool with a store of its own. */
export interface Tool {
  readonly name: string;
  /** Makes the base image known. */
  prepare(rootfsTar: string): void;
  /** The command that builds `dir`, writing an OCI tar when `tar` is given. */
  build(dir: string, round: string, tar: string | null): readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Removes the store. */
  clear(): void;
}

/** tbuild as its users run it. */
export function tbuildTool(work: string): Tool {
  const root = path.join(work, "tbuild");
  const program = [process.execPath, path.resolve("bin/tbuild"), "--root", root];
  return {
    name: "tbuild",
    env: process.env,
    prepare: (tar) => run([...program, "image", "import", tar, BENCH_BASE]),
    build: (dir, round, tar) => {
      const output = tar === null ? [] : ["-o", `type=oci,dest=${tar}`];
      return [...program, "build", "--progress", "plain", "-t", "bench:1", "--build-arg", `ROUND=${round}`, ...output, dir];
    },
    clear: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Debian's buildah with layers, as its users run it. */
export function buildahTool(work: string): Tool {
  const conf = path.join(work, "containers.conf");
  writeFileSync(conf, '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]\n');
  const env = { ...process.env, CONTAINERS_CONF: conf };
  const root = path.join(work, "buildah");
  const program = ["buildah", "--root", root, "--runroot", path.join(work, "buildah-run"), "--storage-driver", "overlay"];
  return {
    name: "buildah",
    env,
    prepare: (tar) => buildahBase(program, env, tar),
    build: (dir, round, tar) => {
      const bud = [...program, "bud", "--layers", "--jobs", "0", "--network", "host", "--isolation", "oci", "--runtime", "runc", "--build-arg", `ROUND=${round}`, "-t"];
      if (tar === null) return [...bud, "bench:1", dir];
      return ["sh", "-ec", `${[...bud, "bench:1", dir].join(" ")} && ${[...program, "push", "-q", "bench:1", `oci-archive:${tar}`].join(" ")}`];
    },
    clear: () => {
      spawnSync(program[0]!, [...program.slice(1), "rm", "-a"], { env });
      spawnSync("umount", [path.join(root, "overlay")]);
      rmSync(root, { recursive: true, force: true });
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

/** Runs a command to its end. Throws with its output when it fails. */
export function run(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(argv[0]!, argv.slice(1), { encoding: "utf8", env, maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}:\n${stderr.slice(-2000)}`);
  return stdout;
}

/** Time and memory of one command. */
export function measure(argv: readonly string[], env: NodeJS.ProcessEnv): Sample {
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "SAMPLE %e %M", ...argv], { encoding: "utf8", env, maxBuffer: 1 << 28, stdio: ["ignore", "ignore", "pipe"] });
  const match = /SAMPLE ([\d.]+) (\d+)/.exec(stderr);
  if (status !== 0 || match === null) throw new Error(`${argv.join(" ")} failed:\n${stderr.slice(-2000)}`);
  return { seconds: Number(match[1]), peakMb: Number(match[2]) / 1024 };
}
