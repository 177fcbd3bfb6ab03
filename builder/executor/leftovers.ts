import { existsSync, readdirSync } from "node:fs";
import { findProgram } from "./host.js";
import { deleteContainer, runtimeState } from "./runtimeCommand.js";

/** Ends and removes the containers that a dead process left in its scratch directory. */
export async function removeContainers(runtime: string, scratch: string): Promise<void> {
  const state = runtimeState(scratch);
  if (!existsSync(state)) return;
  const ids = readdirSync(state);
  if (ids.length === 0) return;
  const program = findProgram(runtime);
  for (const id of ids) await deleteContainer(program, scratch, id);
}
