import { parseDuration } from "../../duration.js";
import type { HealthcheckInstruction, Own } from "../../instruction.js";
import { parseFailed, quoted } from "../../parseErrors.js";
import { skipSpaces } from "../../words.js";
import { flagNamed, type FlagValues, readFlags, refused } from "./flags.js";
import { argsRange, command, needArgument, type RawInstruction } from "./raw.js";

const spec = {
  interval: "value",
  timeout: "value",
  "start-period": "value",
  "start-interval": "value",
  retries: "value",
} as const;
type Flags = FlagValues<typeof spec>;

const shortestNanoseconds = 1_000_000;
const mostRetries = 2 ** 31 - 1;

/** `HEALTHCHECK NONE` or `HEALTHCHECK [flags] CMD COMMAND` */
export function parseHealthcheck(raw: RawInstruction): Own<HealthcheckInstruction> {
  needArgument(raw);
  const kind = /^\S*/.exec(raw.args)![0];
  const rest = raw.args.slice(skipSpaces(raw.args, kind.length));
  if (kind.toUpperCase() === "NONE") return parseNone(raw, rest);
  if (kind.toUpperCase() !== "CMD") {
    const message = `Cannot use ${quoted(kind)} as kind of HEALTHCHECK`;
    throw parseFailed(message, argsRange(raw), "Write HEALTHCHECK CMD command, or HEALTHCHECK NONE");
  }
  const flags = readFlags(raw, spec);
  const test = command(raw, rest);
  if ((test.form === "exec" ? test.args : test.text).length === 0) {
    throw parseFailed("HEALTHCHECK CMD requires a command", argsRange(raw));
  }
  return { name: "healthcheck", command: test, ...timing(raw, flags) };
}

/** Flags before NONE have always been ignored. */
function parseNone(raw: RawInstruction, rest: string): Own<HealthcheckInstruction> {
  if (rest !== "") throw parseFailed("HEALTHCHECK NONE takes no arguments", argsRange(raw));
  const zero = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
  return { name: "healthcheck", command: null, ...zero };
}

type Timing = Pick<HealthcheckInstruction, "interval" | "timeout" | "startPeriod" | "startInterval" | "retries">;

function timing(raw: RawInstruction, flags: Flags): Timing {
  return {
    interval: nanoseconds(raw, flags, "interval"),
    timeout: nanoseconds(raw, flags, "timeout"),
    startPeriod: nanoseconds(raw, flags, "start-period"),
    startInterval: nanoseconds(raw, flags, "start-interval"),
    retries: retries(raw, flags.retries),
  };
}

function nanoseconds(raw: RawInstruction, flags: Flags, name: keyof Flags): number {
  const text = flags[name];
  if (text === null || text === "") return 0;
  const duration = parseDuration(text);
  if (duration === null) {
    throw refused(raw, flagNamed(raw, name), `${quoted(text)} is no duration`, 'Write a number and a unit, for example "1m30s"');
  }
  if (duration === 0 || duration >= shortestNanoseconds) return duration;
  throw refused(raw, flagNamed(raw, name), "it must be 1ms or longer, or 0");
}

function retries(raw: RawInstruction, text: string | null): number {
  if (text === null || text === "") return 0;
  const count = /^[+-]?\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 0 && count <= mostRetries) return Math.abs(count);
  throw refused(raw, flagNamed(raw, "retries"), `its value must be a whole number from 0 up, not ${quoted(text)}`);
}
