import type { CallKind } from "../../builder/call.js";
import { suggest } from "../../frontend/dockerfile/suggest.js";
import { usage } from "../usage.js";

/** A question to a Dockerfile, and how its answer is shown. */
export interface CallOptions {
  readonly kind: CallKind;
  readonly format: "text" | "json";
  /** The exit status is 0 whatever a check finds. */
  readonly ignoreStatus: boolean;
}

/** By the names that buildx takes. */
const KINDS: ReadonlyMap<string, CallKind> = new Map([
  ["check", "check"],
  ["lint", "check"],
  ["outline", "outline"],
  ["targets", "targets"],
  ["subrequests.describe", "subrequests.describe"],
]);

/** Reads `check,format=json`; null for "build", which asks nothing and builds. @throws {TbuildError} usage */
export function parseCall(text: string): CallOptions | null {
  const fields = text.split(",").map((field) => field.trim()).filter((field) => field !== "");
  const names = fields.filter((field) => !isSetting(field));
  if (names.length > 1) throw badCall(text, `It asks for ${names.join(" and ")}`);
  const [name = "build"] = names;
  const settings = new Map(fields.filter(isSetting).map((field) => splitSetting(field, text)));
  const kind = KINDS.get(name);
  if (name !== "build" && kind === undefined) throw unknownCall(text, name);
  const format = formatOf(settings.get("format"), text);
  return kind === undefined ? null : { kind, format, ignoreStatus: settings.get("ignorestatus") === "true" };
}

/** Everything with a "=", and `ignorestatus` alone. */
function isSetting(field: string): boolean {
  return field.includes("=") || field === "ignorestatus";
}

function splitSetting(field: string, text: string): readonly [string, string] {
  const at = field.indexOf("=");
  const [key, value] = at < 0 ? [field, "true"] : [field.slice(0, at), field.slice(at + 1)];
  if (key === "format") return [key, value];
  if (key !== "ignorestatus") throw badCall(text, "Known settings: format=text, format=json, ignorestatus");
  if (!/^(?:true|false|1|0)$/i.test(value)) throw badCall(text, "Write ignorestatus=true or ignorestatus=false");
  return [key, /^(?:true|1)$/i.test(value) ? "true" : "false"];
}

function formatOf(format: string | undefined, text: string): CallOptions["format"] {
  if (format === undefined || format === "" || format === "text") return "text";
  if (format === "json") return "json";
  throw badCall(text, "Known formats: text, json");
}

function unknownCall(text: string, name: string): Error {
  const near = suggest(name, [...KINDS.keys(), "build"]);
  return badCall(text, near === null ? "Known: build, check, outline, targets, subrequests.describe" : `Did you mean "${near}"?`);
}

function badCall(text: string, hint: string): Error {
  return usage(`Cannot read --call "${text}"`, hint);
}
