import { readFileSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import type { SourceRules } from "./policy.js";
import { type RawRule, type RawSelector, readRules } from "./readRules.js";

/** Reads a policy as `buildctl build --source-policy-file` does. @throws {TbuildError} not_found, invalid_argument */
export function readPolicyFile(file: string): SourceRules {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new TbuildError("not_found", `Cannot read the source policy "${file}": ${(cause as NodeJS.ErrnoException).code ?? "it is no file"}`, { cause });
  }
  return parsePolicy(text, file);
}

/** A policy that is written in JSON; `name` is for messages. @throws {TbuildError} invalid_argument */
export function parsePolicy(text: string, name: string): SourceRules {
  const shape = shapes(name);
  const policy = shape.object(parsed(text, name), "it");
  shape.only(policy, ["version", "rules"]);
  const version = policy["version"] ?? 1;
  if (version !== 0 && version !== 1) throw refused(name, `version ${JSON.stringify(version)} is unknown`);
  return readRules(shape.list(policy["rules"], "rules").map((rule) => readRule(rule, shape)));
}

type Shapes = ReturnType<typeof shapes>;
type Json = Readonly<Record<string, unknown>>;

function readRule(given: unknown, shape: Shapes): RawRule {
  const rule = shape.object(given, "a rule");
  shape.only(rule, ["action", "selector", "updates"]);
  const updates = rule["updates"] === undefined ? null : shape.object(rule["updates"], "updates");
  if (updates !== null) shape.only(updates, ["identifier", "attrs"]);
  return {
    action: shape.word(rule["action"] ?? "ALLOW", "action"),
    selector: rule["selector"] === undefined ? null : readSelector(shape.object(rule["selector"], "selector"), shape),
    updates: updates === null ? null : { identifier: shape.text(updates["identifier"], "identifier"), attrs: shape.attrs(updates["attrs"]) },
  };
}

function readSelector(selector: Json, shape: Shapes): RawSelector {
  shape.only(selector, ["identifier", "match_type", "matchType", "constraints"]);
  return {
    identifier: shape.text(selector["identifier"], "identifier"),
    matchType: shape.word(selector["match_type"] ?? selector["matchType"] ?? "WILDCARD", "match_type"),
    constraints: shape.list(selector["constraints"], "constraints").map((given) => {
      const constraint = shape.object(given, "a constraint");
      shape.only(constraint, ["key", "value", "condition"]);
      const [key, value] = [shape.text(constraint["key"], "key"), shape.text(constraint["value"], "value")];
      return { key, value, condition: shape.word(constraint["condition"] ?? "EQUAL", "condition") };
    }),
  };
}

/** What values have to be. A key that nobody knows would be a rule that does not hold. */
function shapes(name: string) {
  const bad = (what: string, wanted: string) => refused(name, `${what} has to be ${wanted}`);
  const object = (value: unknown, what: string): Json => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(what, "an object");
    return value as Json;
  };
  const text = (value: unknown, what: string): string => {
    if (value !== undefined && typeof value !== "string") throw bad(what, "a text");
    return value ?? "";
  };
  return {
    object,
    text,
    list(value: unknown, what: string): readonly unknown[] {
      if (value !== undefined && !Array.isArray(value)) throw bad(what, "a list");
      return value ?? [];
    },
    word(value: unknown, what: string): number | string {
      if (typeof value !== "string" && typeof value !== "number") throw bad(what, "a word or a number");
      return value;
    },
    attrs(value: unknown): Readonly<Record<string, string>> {
      const entries = value === undefined ? [] : Object.entries(object(value, "attrs"));
      return Object.fromEntries(entries.map(([key, one]) => [key, text(one, `attrs.${key}`)]));
    },
    only(value: Json, keys: readonly string[]): void {
      const stray = Object.keys(value).find((key) => !keys.includes(key));
      if (stray !== undefined) throw refused(name, `"${stray}" is unknown here`);
    },
  };
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(name, `it is no JSON: ${(cause as Error).message}`);
  }
}

function refused(name: string, why: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use the source policy "${name}": ${why}`);
}
