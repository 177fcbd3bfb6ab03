import type { Own, RunInstruction } from "../../instruction.js";
import { quoted } from "../../parseErrors.js";
import { flagNamed, readFlags, refused } from "./flags.js";
import { parseDevice } from "./device.js";
import { command, needArgument, type RawInstruction, toHeredoc } from "./raw.js";

const networks = ["default", "none", "host"];
const flagKinds = { mount: "values", network: "value", security: "value", device: "values" } as const;
const securities = ["sandbox", "insecure"];

/** `RUN [flags] COMMAND` or `RUN [flags] ["exec", "form"]`, with here-documents in shell form */
export function parseRun(raw: RawInstruction): Own<RunInstruction> {
  const flags = readFlags(raw, flagKinds);
  checkChoice(raw, "network", flags.network, networks);
  checkChoice(raw, "security", flags.security, securities);
  const run = command(raw);
  if (run.form === "exec") needArgument(raw, run.args);
  return {
    name: "run",
    command: run,
    heredocs: raw.line.heredocs.map(toHeredoc),
    mounts: flags.mount,
    network: flags.network,
    security: flags.security,
    devices: flags.device.map((word) => parseDevice(raw, word)),
  };
}

function checkChoice(raw: RawInstruction, name: string, value: string | null, choices: readonly string[]): void {
  if (value === null || choices.includes(value)) return;
  throw refused(raw, flagNamed(raw, name), `its value must be ${choices.join(" or ")}, not ${quoted(value)}`);
}
