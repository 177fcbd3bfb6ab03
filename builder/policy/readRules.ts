import { TbuildError } from "../../cache/errors.js";
import type { AttrConstraint, PolicyAction, PolicyRule, SourceRules, SourceSelector } from "./policy.js";

/** A rule on the wire, or in a file: enums by their numbers, or by their names. */
export interface RawRule {
  readonly action: number | string;
  readonly selector: RawSelector | null;
  readonly updates: { readonly identifier: string; readonly attrs: Readonly<Record<string, string>> } | null;
}

/** See {@link RawRule}. */
export interface RawSelector {
  readonly identifier: string;
  readonly matchType: number | string;
  readonly constraints: readonly { readonly key: string; readonly value: string; readonly condition: number | string }[];
}

const ACTIONS = ["ALLOW", "DENY", "CONVERT"] as const;
const MATCH_TYPES = { WILDCARD: "wildcard", EXACT: "exact", REGEX: "regex" } as const;
const CONDITIONS = { EQUAL: "equal", NOTEQUAL: "not-equal", MATCHES: "matches" } as const;

/** Makes sense of rules. @throws {TbuildError} invalid_argument */
export function readRules(rules: readonly RawRule[]): SourceRules {
  return { rules: rules.map(readRule) };
}

function readRule({ action, selector, updates }: RawRule): PolicyRule {
  if (selector === null) throw new TbuildError("invalid_argument", "Cannot use a source policy: a rule has no selector");
  return { selector: readSelector(selector), action: readAction(action, updates, selector.identifier) };
}

function readAction(given: RawRule["action"], updates: RawRule["updates"], about: string): PolicyAction {
  const action = nameOf(ACTIONS, given);
  if (action === undefined) throw new TbuildError("invalid_argument", `Cannot use a source policy: the rule about "${about}" is of unknown type "${given}"`);
  if (action === "ALLOW") return { kind: "allow" };
  if (action === "DENY") return { kind: "deny" };
  if (updates === null) throw new TbuildError("invalid_argument", `Cannot use a source policy: the rule about "${about}" does not say what to convert to`);
  return { kind: "convert", identifier: updates.identifier, attrs: updates.attrs };
}

function readSelector({ identifier, matchType, constraints }: RawSelector): SourceSelector {
  const match = nameOf(Object.keys(MATCH_TYPES), matchType) as keyof typeof MATCH_TYPES | undefined;
  if (match === undefined) throw new TbuildError("invalid_argument", `Cannot use a source policy: "${matchType}" is no way to match`);
  return { identifier, match: MATCH_TYPES[match], constraints: constraints.map(readConstraint) };
}

function readConstraint({ key, value, condition }: RawSelector["constraints"][number]): AttrConstraint {
  const name = nameOf(Object.keys(CONDITIONS), condition) as keyof typeof CONDITIONS | undefined;
  if (name === undefined) throw new TbuildError("invalid_argument", `Cannot use a source policy: "${condition}" is no condition of an attribute`);
  return { key, value, condition: CONDITIONS[name] };
}

function nameOf<N extends string>(names: readonly N[], given: number | string): N | undefined {
  return typeof given === "number" ? names[given] : names.find((name) => name === given);
}
