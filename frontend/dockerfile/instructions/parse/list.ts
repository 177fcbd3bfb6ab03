import type { ExposeInstruction, Own, VolumeInstruction } from "../../instruction.js";
import { parseFailed } from "../../parseErrors.js";
import { splitBlanks, trimSpaces } from "../../words.js";
import { refuseFlags } from "./flags.js";
import { argsRange, jsonForm, needArgument, type RawInstruction } from "./raw.js";

/** `EXPOSE PORT[/PROTOCOL]…` */
export function parseExpose(raw: RawInstruction): Own<ExposeInstruction> {
  refuseFlags(raw);
  needArgument(raw);
  return { name: "expose", ports: splitBlanks(raw.args) };
}

/** `VOLUME PATH…` or `VOLUME ["path", …]` */
export function parseVolume(raw: RawInstruction): Own<VolumeInstruction> {
  refuseFlags(raw);
  const form = jsonForm(raw);
  const paths = (form.kind === "strings" ? form.values : splitBlanks(raw.args)).map(trimSpaces);
  needArgument(raw, paths);
  if (paths.includes("")) throw parseFailed("Cannot use an empty path as VOLUME", argsRange(raw));
  return { name: "volume", paths };
}
