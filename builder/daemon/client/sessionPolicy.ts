import { TbuildError } from "../../../cache/errors.js";
import { detail, grpcCode } from "../../api/errors.js";
import { checkPolicy } from "../../api/policySession.js";
import { normalIdentifier } from "../../policy/identifier.js";
import type { PolicySource, SourcePolicy } from "../../policy/policy.js";
import { ask } from "../../session/calls.js";
import type { Session } from "../../session/session.js";
import { StatusError } from "../handlers.js";
import type { SourceAnswer, SourceQuestion } from "./sourceMeta.js";

/** How often a client may ask or convert before it decides. Source: BuildKit, solver/llbsolver/policy.go. */
const MAX_QUESTIONS = 10;

const [ALLOW, CONVERT] = [0, 2];
const NAMES = ["ALLOW", "DENY", "CONVERT"];

/** The rules first, then what a client says of each source that they let through; what it changes begins all over again. */
export function sessionPolicy(rules: SourcePolicy, session: Session, resolve: (asked: SourceQuestion) => Promise<SourceAnswer>): SourcePolicy {
  return async (given, opts) => {
    let source = await rules(given, opts);
    let told: SourceAnswer = { source: opOf(source) };
    for (let questions = 0; questions < MAX_QUESTIONS; questions++) {
      const { decision, request } = await ask(session, checkPolicy, { platform: source.platform, source: told }, opts);
      if (request !== null) {
        checkSame(source, request);
        // The source stays the one that was asked about, whatever the rules make of it by now.
        told = { ...(await resolve(request)), source: opOf(source) };
        continue;
      }
      if (decision === null) throw new TbuildError("invalid_argument", `Cannot use "${source.identifier}": the client's policy decides nothing`);
      const { action, update, denyMessages } = decision;
      if (action === ALLOW) return source;
      if (action !== CONVERT) throw refusal(source, NAMES[action] ?? String(action), denyMessages);
      if (update === null) throw new TbuildError("invalid_argument", `Cannot use "${source.identifier}": the client's policy does not say what to convert it to`);
      source = await rules({ ...source, identifier: update.identifier, attrs: update.attrs }, opts);
      told = { source: opOf(source) };
    }
    throw new TbuildError("invalid_argument", `Cannot use "${given.identifier}": too many policy requests`);
  };
}

function opOf({ identifier, attrs }: PolicySource): NonNullable<SourceAnswer["source"]> {
  return { kind: "source", identifier: normalIdentifier(identifier), attrs };
}

/** A client may ask about the source that it was asked about. */
function checkSame(source: PolicySource, { source: asked }: SourceQuestion): void {
  const { identifier, attrs } = opOf(source);
  const same = asked !== null && asked.identifier === identifier && Object.keys(asked.attrs).length === Object.keys(attrs).length;
  if (same && Object.entries(attrs).every(([key, value]) => asked.attrs[key] === value)) return;
  throw new TbuildError("invalid_argument", `Cannot tell the client's policy about "${asked?.identifier ?? ""}": it was asked about "${identifier}"`);
}

/** With what the client says about it, for the client to show. */
function refusal({ identifier }: PolicySource, action: string, denyMessages: readonly { readonly message: string }[]): StatusError {
  const message = `source "${normalIdentifier(identifier)}" not allowed by policy: action ${action}`;
  const details = denyMessages.length === 0 ? [] : [detail("policysession.DecisionResponse", { action, denyMessages })];
  return new StatusError({ code: grpcCode.unknown, message, details }, undefined);
}
