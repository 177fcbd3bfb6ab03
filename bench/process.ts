import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";

/** One measured run. */
export interface Sample {
  readonly seconds: number;
  /** Largest resident set of any process of it. */
  readonly peakMb: number;
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
  return sampleOf(argv, status, stderr);
}

/** The same, while this process goes on: for commands that talk with a server of ours. */
export async function measureBeside(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Sample> {
  const child = spawn("/usr/bin/time", ["-f", "SAMPLE %e %M", ...argv], { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("exit", resolve));
  const stderr = await text(child.stderr);
  return sampleOf(argv, await ended, stderr);
}

function sampleOf(argv: readonly string[], status: number | null, stderr: string): Sample {
  const match = /SAMPLE ([\d.]+) (\d+)/.exec(stderr);
  if (status !== 0 || match === null) throw new Error(`${argv.join(" ")} failed:\n${stderr.slice(-2000)}`);
  return { seconds: Number(match[1]), peakMb: Number(match[2]) / 1024 };
}
