import type { Healthcheck } from "../../../cache/oci/descriptor.js";
import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { formatDuration, quotedCharacter, quotedList, withHistory } from "../history.js";
import type { HealthcheckInstruction } from "../instruction.js";
import { usedOnce } from "./command.js";

/** HEALTHCHECK */
export function applyHealthcheck(s: StageState, ins: HealthcheckInstruction, c: StageContext): StageState {
  const test = testOf(ins);
  const values = {
    Interval: ins.interval,
    Timeout: ins.timeout,
    StartPeriod: ins.startPeriod,
    StartInterval: ins.startInterval,
    Retries: ins.retries,
  };
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));
  const health: Healthcheck = { Test: test, ...given };
  const changed = withConfig(usedOnce("healthcheck", ins.at, s, c), { Healthcheck: health });
  return withHistory(changed, c, `HEALTHCHECK ${shown(test, ins)}`, "config");
}

function testOf({ command }: HealthcheckInstruction): readonly string[] {
  if (command === null) return ["NONE"];
  return command.form === "exec" ? ["CMD", ...command.args] : ["CMD-SHELL", command.text];
}

/** As Go's `%q` prints the struct, which is what BuildKit's history has. */
function shown(test: readonly string[], ins: HealthcheckInstruction): string {
  const durations = [ins.interval, ins.timeout, ins.startPeriod, ins.startInterval].map((value) => `"${formatDuration(value)}"`);
  return `&{${[quotedList(test), ...durations, quotedCharacter(ins.retries)].join(" ")}}`;
}
