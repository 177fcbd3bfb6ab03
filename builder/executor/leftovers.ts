import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { spawnProcess } from "../../cache/sys/process.js";
import { findProgram } from "./host.js";

/** Ends and removes the containers that a dead process left in its scratch directory. */
export async function removeContainers(runtime: string, scratch: string): Promise<void> {
  const state = path.join(scratch, "runtime");
  if (!existsSync(state)) return;
  const ids = readdirSync(state);
  if (ids.length === 0) return;
  const program = findProgram(runtime);
  const env = [`PATH=${process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`];
  for (const id of ids) await spawnProcess({ argv: [program, "--root", state, "delete", "--force", id], env }).exited;
}
