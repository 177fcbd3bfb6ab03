import type { ExportSpec } from "../builder/exporter/exporter.js";
import { parseCsv } from "./csv.js";
import { unknownWord, usage } from "./usage.js";

const TYPES = ["image", "registry", "oci", "docker", "local", "tar", "cacheonly"] as const;

/**
 * `-o` values as Docker has them: `type=T,key=value…`, a bare path is `type=local`, `-` is a tar on stdout.
 * @throws {TbuildError} usage
 */
export function parseOutput(text: string): ExportSpec {
  const fields = parseCsv(text);
  const [first = ""] = fields;
  if (fields.length === 1 && !first.includes("=")) {
    if (first === "") throw usage("An output needs a value", "An output is written type=TYPE,dest=PATH, or PATH");
    return first === "-" ? { type: "tar", attrs: { dest: "-" } } : { type: "local", attrs: { dest: first } };
  }
  const { type, ...attrs } = Object.fromEntries(fields.map((field) => pair(field, text)));
  return { type: outputType(type, text), attrs };
}

function pair(field: string, text: string): [string, string] {
  const at = field.indexOf("=");
  if (at < 1) throw usage(`Cannot read "${field}" of output "${text}"`, "An output is written type=TYPE,dest=PATH");
  const key = field.slice(0, at).trim();
  // Keys of annotations are the user's own.
  return [/^annotation\b/i.test(key) ? key : key.toLowerCase(), field.slice(at + 1)];
}

function outputType(type: string | undefined, text: string): ExportSpec["type"] {
  if (type === undefined) throw usage(`Output "${text}" has no type`, `Types are ${TYPES.join(", ")}`);
  const known = TYPES.find((name) => name === type);
  if (known === undefined) throw unknownWord("output type", type, TYPES);
  return known;
}
