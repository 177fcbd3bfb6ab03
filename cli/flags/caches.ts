import type { CacheSpec } from "../../builder/cacheio/specs.js";
import { parseCsv } from "../csv.js";
import { usage } from "../usage.js";

/**
 * A value of `--cache-from` or `--cache-to` as buildx has them: `type=T,key=value…`, or names of images separated by commas.
 * @throws {TbuildError} usage
 */
export function parseCaches(text: string, option: string): readonly CacheSpec[] {
  const fields = parseCsv(text);
  if (fields.every((field) => !field.includes("="))) {
    const refs = fields.filter((field) => field !== "");
    if (refs.length === 0) throw usage(`${option} needs a value`, hintOf(option));
    return refs.map((ref) => ({ type: "registry", attrs: { ref } }));
  }
  const { type, ...attrs } = Object.fromEntries(fields.map((field) => pair(field, text, option)));
  if (type === undefined || type === "") throw usage(`Cannot read ${option} "${text}": it has no type`, hintOf(option));
  return [{ type, attrs: { ...fromEnvironment(type), ...attrs } }];
}

/** What the services' own tools take from the environment. Source: buildx util/buildflags/cache.go. */
function fromEnvironment(type: string): Readonly<Record<string, string>> {
  const variables = Object.entries(VARIABLES[type] ?? {}).map(([key, name]) => [key, process.env[name] ?? ""] as const);
  return Object.fromEntries(variables.filter(([, value]) => value !== ""));
}

const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gha: { token: "ACTIONS_RUNTIME_TOKEN", url_v2: "ACTIONS_RESULTS_URL" },
  s3: {
    access_key_id: "AWS_ACCESS_KEY_ID",
    secret_access_key: "AWS_SECRET_ACCESS_KEY",
    session_token: "AWS_SESSION_TOKEN",
    bucket: "AWS_BUCKET",
    region: "AWS_REGION",
  },
};

function pair(field: string, text: string, option: string): [string, string] {
  const at = field.indexOf("=");
  if (at < 1) throw usage(`Cannot read "${field}" of ${option} "${text}"`, hintOf(option));
  return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
}

function hintOf(option: string): string {
  return `Write ${option} type=registry,ref=REGISTRY/REPOSITORY:TAG, or the name alone`;
}
