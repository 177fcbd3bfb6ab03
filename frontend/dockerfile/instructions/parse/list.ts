import type { ExposeInstruction, VolumeInstruction } from "../../instruction.js";
import { parseFailed } from "../../parseErrors.js";
import { splitBlanks, trimSpaces } from "../../words.js";
import { refuseFlags } from "./flags.js";
import { argsRange, jsonForm, needArgument, type RawInstruction } from "./raw.js";

/** `EXPOSE PORT[/PROTOCOL]…` */
export function parseExpose(raw: RawInstruction): ExposeInstruction {
  refuseFlags(raw);
  needArgument(raw);
  return { ...raw.base, name: "expose", ports: splitBlanks(raw.args) };
}

/** `VOLUME PATH…` or `VOLUME ["path", …]` */
export function parseVolume(raw: RawInstruction): VolumeInstruction {
  refuseFlags(raw);
  const form = jsonForm(raw);
  const paths = (form.kind === "strings" ? form.values : splitBlanks(raw.args)).map(trimSpaces);
  needArgument(raw, paths);
  if (paths.includes("")) throw parseFailed("Cannot use an empty path as VOLUME", argsRange(raw));
  return { ...raw.base, name: "volume", paths };
}
