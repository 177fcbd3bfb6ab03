import type { SecretSpec } from "../../builder/request.js";
import { parseCsv } from "../csv.js";
import { unknownWord, usage } from "../usage.js";

const FORM = "Write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE";
const KEYS = ["id", "src", "source", "env", "type"] as const;

/**
 * `--secret id=X[,src=FILE|,env=VAR][,type=file|env]`. An id alone is the variable of that name, else the file of that name,
 * as docker build has it. @throws {TbuildError} usage
 */
export function parseSecret(text: string, env: NodeJS.ProcessEnv = process.env): SecretSpec {
  const fields = new Map(parseCsv(text).map((field) => pair(field, text)));
  const type = fields.get("type");
  if (type !== undefined && type !== "file" && type !== "env") throw unknownWord("secret type", type, ["file", "env"]);
  const file = fields.get("src") ?? fields.get("source");
  const variable = fields.get("env");
  if (file !== undefined && variable !== undefined) throw usage(`Cannot read --secret "${text}": it has both src and env`, FORM);
  const source = file ?? variable;
  const id = fields.get("id") ?? (source === undefined ? "" : baseName(source));
  if (id === "") throw usage(`Cannot read --secret "${text}": it has no id`, FORM);
  const isVariable = type === undefined ? variable !== undefined || (file === undefined && env[id] !== undefined) : type === "env";
  return { id, from: isVariable ? { kind: "env", name: source ?? id } : { kind: "file", path: source ?? id } };
}

function pair(field: string, text: string): [string, string] {
  const at = field.indexOf("=");
  if (at < 1) throw usage(`Cannot read "${field}" of --secret "${text}"`, FORM);
  const key = field.slice(0, at).trim().toLowerCase();
  if (!KEYS.some((known) => known === key)) throw unknownWord("key of --secret", key, KEYS);
  return [key, field.slice(at + 1)];
}

function baseName(path: string): string {
  return path.split("/").at(-1) ?? "";
}
