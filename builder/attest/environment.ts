import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";

/** What provenance tells itself. */
const OWN = new Set(["buildConfig", "builderPlatform", "platform"]);

/**
 * What provenance is to tell of whoever runs the builder: all objects in the `*.json` files of a directory, in the order of their
 * names. Source: BuildKit, docs/buildkitd.toml.md "provenanceEnvDir". @throws {TbuildError} not_found, parse_failed, invalid_argument
 */
export function readEnvironment(dir: string): Readonly<Record<string, unknown>> {
  const files = namesIn(dir).filter((name) => name.endsWith(".json")).sort();
  const all = Object.assign({}, ...files.map((name) => objectIn(path.join(dir, name)))) as Readonly<Record<string, unknown>>;
  const own = Object.keys(all).find((key) => OWN.has(key));
  if (own === undefined) return all;
  throw new TbuildError("invalid_argument", `Cannot use the provenance environment "${dir}": key "${own}" is builtin and not allowed to be modified`);
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new TbuildError("not_found", `Cannot read the provenance environment "${dir}"`, { cause });
  }
}

function objectIn(file: string): object {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new TbuildError("parse_failed", `Cannot read the provenance environment "${file}": it is no JSON`, { cause });
  }
  throw new TbuildError("parse_failed", `Cannot read the provenance environment "${file}": it is no JSON object`);
}
