import { splitCsv } from "../../csv.js";
import type { RunInstruction } from "../../instruction.js";
import { didYouMean, quoted } from "../../parseErrors.js";
import { suggest } from "../../suggest.js";
import { flagNamed, refused } from "./flags.js";
import type { RawInstruction } from "./raw.js";

type Device = RunInstruction["devices"][number];

const hint = "Write --device=vendor.com/class=name, with ,required behind it when the step cannot do without";

/**
 * `[name=]NAME[,required[=BOOL]]`. A name holds "=" itself, as in `vendor.com/class=gpu0`. Source: BuildKit's ParseDevice.
 * @throws {TbuildError} parse_failed
 */
export function parseDevice(raw: RawInstruction, word: string): Device {
  const fail = (reason: string, advice: string = hint) => refused(raw, flagNamed(raw, "device"), reason, advice);
  const fields = splitCsv(word);
  if (fields === null) throw fail(`${quoted(word)} has a quote in the middle of a field`);
  let name = "";
  let optional = true;
  for (const field of fields) {
    const [, key = field, value] = /^([^=]*)=([^]*)$/.exec(field) ?? [];
    const lower = key.toLowerCase();
    if (lower === "required") optional = !isTrue(value, fail);
    else if (lower === "name" && value !== undefined && name === "") name = value;
    else if (lower !== "name" && name === "") name = field;
    else if (lower === "name" || value === undefined) throw fail(`it names both ${quoted(name)} and ${quoted(value ?? field)}`);
    else throw fail(`it has no option ${quoted(key)}`, didYouMean(suggest(lower, ["name", "required"])));
  }
  if (name === "") throw fail("it names no device");
  return { name, optional };
}

function isTrue(value: string | undefined, fail: (reason: string) => Error): boolean {
  if (value === undefined || /^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw fail(`required must be true or false, not ${quoted(value)}`);
}
