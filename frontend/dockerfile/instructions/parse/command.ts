import type { CmdInstruction, EntrypointInstruction, Own, ShellInstruction } from "../../instruction.js";
import { parseFailed } from "../../parseErrors.js";
import { refuseFlags } from "./flags.js";
import { argsRange, command, jsonForm, needArgument, type RawInstruction } from "./raw.js";

/** `CMD COMMAND` or `CMD ["exec", "form"]`; an empty array resets */
export function parseCmd(raw: RawInstruction): Own<CmdInstruction> {
  refuseFlags(raw);
  return { name: "cmd", command: command(raw) };
}

/** `ENTRYPOINT COMMAND` or `ENTRYPOINT ["exec", "form"]`; an empty array resets */
export function parseEntrypoint(raw: RawInstruction): Own<EntrypointInstruction> {
  refuseFlags(raw);
  return { name: "entrypoint", command: command(raw) };
}

/** `SHELL ["/bin/bash", "-c"]` */
export function parseShell(raw: RawInstruction): Own<ShellInstruction> {
  refuseFlags(raw);
  needArgument(raw);
  const form = jsonForm(raw);
  if (form.kind === "text") {
    throw parseFailed("SHELL requires its arguments in JSON form", argsRange(raw), 'Write SHELL ["/bin/sh", "-c"]');
  }
  needArgument(raw, form.values);
  return { name: "shell", args: form.values };
}
