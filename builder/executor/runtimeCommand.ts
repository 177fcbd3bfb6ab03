import path from "node:path";
import { spawnProcess } from "../../cache/sys/process.js";

/** Where the OCI runtime keeps the state of the containers that belong to a scratch directory. */
export function runtimeState(scratch: string): string {
  return path.join(scratch, "runtime");
}

/** The beginning of every command line of the runtime. */
export function runtimeArgs(runtime: string, scratch: string): readonly string[] {
  return [runtime, "--root", runtimeState(scratch)];
}

/** The runtime itself needs little; what the user has set must not reach it. */
export function runtimeEnv(): readonly string[] {
  return [`PATH=${process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`];
}

/** Ends and removes a container; one that does not exist is none the worse. */
export async function deleteContainer(runtime: string, scratch: string, id: string): Promise<void> {
  await spawnProcess({ argv: [...runtimeArgs(runtime, scratch), "delete", "--force", id], env: runtimeEnv() }).exited;
}
