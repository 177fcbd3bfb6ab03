import { constants } from "node:os";
import { type StageContext, type StageState, withConfig } from "../convertState.js";
import { badValue } from "../errors.js";
import { withHistory } from "../history.js";
import type { StopsignalInstruction } from "../instruction.js";
import { expand } from "../scope.js";

const REAL_TIME = /^RT(?:MIN(?:\+(?:[1-9]|1[0-5]))?|MAX(?:-(?:[1-9]|1[0-4]))?)$/;

/** STOPSIGNAL: a name with or without SIG, or a number. */
export function applyStopsignal(s: StageState, ins: StopsignalInstruction, c: StageContext): StageState {
  const signal = expand(ins.signal, s, c, ins.at);
  if (!isSignal(signal)) throw badValue("a signal", signal, ins.where(ins.signal), "Write a name such as SIGTERM, or a number");
  return withHistory(withConfig(s, { StopSignal: signal }), c, `STOPSIGNAL ${signal}`, "config");
}

function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) > 0;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return `SIG${name}` in constants.signals || REAL_TIME.test(name);
}
