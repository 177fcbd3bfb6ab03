import type { FromInstruction, Own } from "../../instruction.js";
import { parseFailed, quoted } from "../../parseErrors.js";
import { splitBlanks } from "../../words.js";
import { readFlags } from "./flags.js";
import { argsRange, type RawInstruction } from "./raw.js";

const stageName = /^[a-z][a-z0-9-_.]*$/;

/** `FROM [--platform=P] IMAGE [AS NAME]` */
export function parseFrom(raw: RawInstruction): Own<FromInstruction> {
  const flags = readFlags(raw, { platform: "value" });
  const [image, keyword, name, ...rest] = splitBlanks(raw.args);
  const named = name !== undefined && keyword?.toLowerCase() === "as" && rest.length === 0;
  if (image === undefined || (keyword !== undefined && !named)) {
    throw parseFailed("FROM requires either one argument, an image, or three: IMAGE AS NAME", argsRange(raw));
  }
  const platform = flags.platform || null;
  if (!named) return { name: "from", image, platform, as: null, asWritten: null };
  const as = name.toLowerCase();
  if (!stageName.test(as)) throw badStageName(raw, name);
  return { name: "from", image, platform, as, asWritten: { keyword, name } };
}

function badStageName(raw: RawInstruction, name: string): Error {
  const end = raw.argsStart + raw.args.length;
  const hint = "Start with a letter and use only letters, digits, hyphens, underscores and dots";
  return parseFailed(`Cannot use ${quoted(name)} as stage name`, raw.place.range(end - name.length, end), hint);
}
