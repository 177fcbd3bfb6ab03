import { TbuildError, unreachable } from "../../cache/errors.js";
import { normalIdentifier } from "./identifier.js";
import { fitsPattern, matchIdentifier, type SelectorMatch } from "./pattern.js";
import type { AttrConstraint, PolicySource, SourcePolicy, SourceRules, SourceSelector } from "./policy.js";

/** A source that is changed more often is changed in a circle. Source: BuildKit, sourcepolicy/engine.go. */
const MAX_CHANGES = 20;

/** The policy of several sets of rules: each has to allow a source. */
export function rulesPolicy(all: readonly SourceRules[]): SourcePolicy {
  return async (source) => evaluateRules(all, source);
}

/**
 * What sets of rules make of a source. A change begins all over again.
 * @throws {TbuildError} permission_denied when one denies it; invalid_argument for bad patterns and changes without an end
 */
export function evaluateRules(all: readonly SourceRules[], source: PolicySource): PolicySource {
  let current: PolicySource = { ...source, identifier: normalIdentifier(source.identifier) };
  for (let changes = 0; changes <= MAX_CHANGES; changes++) {
    const changed = firstChange(all, current);
    if (changed === null) return changes === 0 ? source : current;
    current = changed;
  }
  throw new TbuildError("invalid_argument", `Cannot use "${source.identifier}": the source policy goes on changing it`, {
    hint: "A rule that changes a source must not fit what it makes of it, unless it changes nothing then",
  });
}

function firstChange(all: readonly SourceRules[], source: PolicySource): PolicySource | null {
  for (const rules of all) {
    const changed = changeBy(rules, source);
    if (changed !== null) return changed;
  }
  return null;
}

function changeBy({ rules }: SourceRules, source: PolicySource): PolicySource | null {
  let denied = false;
  for (const { selector, action } of rules) {
    const match = matchSource(selector, source);
    if (match === null) continue;
    switch (action.kind) {
      case "allow":
      case "deny":
        denied = action.kind === "deny";
        break;
      case "convert": {
        const identifier = match.format(action.identifier === "" ? selector.identifier : action.identifier) || source.identifier;
        const attrs = { ...source.attrs, ...action.attrs };
        if (identifier !== source.identifier || !sameAttrs(attrs, source.attrs)) return { ...source, identifier, attrs };
        break;
      }
      default:
        unreachable(action);
    }
  }
  if (denied) throw new TbuildError("permission_denied", `Cannot use "${source.identifier}": the source policy denies it`);
  return null;
}

function matchSource(selector: SourceSelector, { identifier, attrs }: PolicySource): SelectorMatch | null {
  return selector.constraints.every((constraint) => fitsConstraint(constraint, attrs)) ? matchIdentifier(selector, identifier) : null;
}

function fitsConstraint({ key, value, condition }: AttrConstraint, attrs: PolicySource["attrs"]): boolean {
  const found = attrs[key] ?? "";
  if (condition === "matches") return fitsPattern(value, found);
  return (found === value) === (condition === "equal");
}

function sameAttrs(a: PolicySource["attrs"], b: PolicySource["attrs"]): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
}
