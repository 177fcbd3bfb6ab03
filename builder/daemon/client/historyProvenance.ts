import { attestOptions } from "../../attest/options.js";
import type { SaidOfResult } from "../../history/buildEnd.js";
import type { ClientRun } from "./clientRun.js";
import { type FinishedPlatform, resultProvenance } from "./resultProvenance.js";

/** What the history says of every build, whatever its client asked for. Source: BuildKit, solver/llbsolver/history.go. */
export async function historyProvenance(run: ClientRun, platforms: readonly FinishedPlatform[]): Promise<readonly SaidOfResult[]> {
  const { builderId = "" } = run.attest.provenance ?? {};
  const options = attestOptions({ provenance: { mode: "max", "builder-id": builderId } }).provenance!;
  const said: SaidOfResult[] = [];
  for (const platform of platforms) {
    const made = await resultProvenance(run, options, platforms, platform, "leave out");
    if (made !== null) said.push({ platform: platform.id, predicateType: made.predicateType, content: await made.content({ signal: run.job.signal }) });
  }
  return said;
}
