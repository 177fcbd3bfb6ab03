import type {
  MaintainerInstruction,
  Own,
  StopsignalInstruction,
  UserInstruction,
  WorkdirInstruction,
} from "../../instruction.js";
import { parseFailed } from "../../parseErrors.js";
import { refuseFlags } from "./flags.js";
import type { RawInstruction } from "./raw.js";

/** `USER NAME[:GROUP]`; the rest of the line is one word, blanks included, as for its kin below */
export function parseUser(raw: RawInstruction): Own<UserInstruction> {
  return { name: "user", user: restOfLine(raw) };
}

/** `WORKDIR PATH` */
export function parseWorkdir(raw: RawInstruction): Own<WorkdirInstruction> {
  return { name: "workdir", path: restOfLine(raw) };
}

/** `STOPSIGNAL SIGNAL` */
export function parseStopsignal(raw: RawInstruction): Own<StopsignalInstruction> {
  return { name: "stopsignal", signal: restOfLine(raw) };
}

/** `MAINTAINER NAME` */
export function parseMaintainer(raw: RawInstruction): Own<MaintainerInstruction> {
  return { name: "maintainer", maintainer: restOfLine(raw) };
}

function restOfLine(raw: RawInstruction): string {
  refuseFlags(raw);
  if (raw.args === "") throw parseFailed(`${raw.label} requires exactly one argument`, raw.base.at);
  return raw.args;
}
