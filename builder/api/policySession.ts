import { platform } from "../../solver/llb/codecRest.js";
import { sourceOp } from "../../solver/llb/codecSource.js";
import { child, children, flagMap, int, text } from "../../solver/llb/message.js";
import { resolveSourceMetaRequest, resolveSourceMetaResponse } from "./gateway.js";
import { method } from "./method.js";
import { schema } from "./schema.js";

/** Actions are those of `sourcePolicy`; "update" is what a conversion comes to. */
const decision = schema({ action: int(1), denyMessages: children(2, schema({ message: text(1) })), update: child(3, sourceOp) });

/** Asks a client about one source. It decides, or asks for more of what the source is. Source: BuildKit, sourcepolicy/policysession. */
export const checkPolicy = method(
  "/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy",
  schema({ platform: child(1, platform), source: child(2, resolveSourceMetaResponse), caps: flagMap(3) }),
  schema({ decision: child(1, decision), request: child(2, resolveSourceMetaRequest) }),
);
