import { child, children, int, text, textMap } from "../../solver/llb/message.js";
import { schema } from "./schema.js";

const constraint = schema({ key: text(1), value: text(2), condition: int(3) });
const selector = schema({ identifier: text(1), matchType: int(2), constraints: children(3, constraint) });
const update = schema({ identifier: text(1), attrs: textMap(2) });
const rule = schema({ action: int(1), selector: child(2, selector), updates: child(3, update) });

/** `sourcepolicy.Policy`. Actions: 0 allow, 1 deny, 2 convert; match types: 0 wildcard, 1 exact, 2 regex. */
export const sourcePolicy = schema({ version: int(1), rules: children(2, rule) });
