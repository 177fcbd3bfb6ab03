import type { StageContext, StageInstruction, StageState } from "../convertState.js";
import { applyAdd } from "./add.js";
import { applyArg } from "./arg.js";
import { applyCmd } from "./cmd.js";
import { applyCopy } from "./copy.js";
import { applyEntrypoint } from "./entrypoint.js";
import { applyEnv } from "./env.js";
import { applyExpose } from "./expose.js";
import { applyHealthcheck } from "./healthcheck.js";
import { applyLabel } from "./label.js";
import { applyMaintainer } from "./maintainer.js";
import { applyOnbuild } from "./onbuild.js";
import { applyRun } from "./run.js";
import { applyShell } from "./shell.js";
import { applyStopsignal } from "./stopsignal.js";
import { applyUser } from "./user.js";
import { applyVolume } from "./volume.js";
import { applyWorkdir } from "./workdir.js";

/** How an instruction changes a stage. @throws {TbuildError} for a mistake in its values */
export type Handler<I extends StageInstruction> = (s: StageState, ins: I, c: StageContext) => StageState;

type Handlers = { readonly [N in StageInstruction["name"]]: Handler<Extract<StageInstruction, { name: N }>> };

const handlers: Handlers = {
  add: applyAdd,
  arg: applyArg,
  cmd: applyCmd,
  copy: applyCopy,
  entrypoint: applyEntrypoint,
  env: applyEnv,
  expose: applyExpose,
  healthcheck: applyHealthcheck,
  label: applyLabel,
  maintainer: applyMaintainer,
  onbuild: applyOnbuild,
  run: applyRun,
  shell: applyShell,
  stopsignal: applyStopsignal,
  user: applyUser,
  volume: applyVolume,
  workdir: applyWorkdir,
};

/** The stage after `ins`. @throws {TbuildError} for a mistake in its values */
export function applyInstruction(s: StageState, ins: StageInstruction, c: StageContext): StageState {
  const handler = handlers[ins.name] as Handler<StageInstruction>;
  return handler(s, ins, c);
}
