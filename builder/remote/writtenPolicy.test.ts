import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import type { SourceRules } from "../policy/policy.js";
import { readRules } from "../policy/readRules.js";
import { encode } from "../../solver/llb/message.js";
import { sourcePolicy } from "../api/policy.js";
import { writtenPolicy } from "./writtenPolicy.js";

const policy: SourceRules = {
  rules: [
    { selector: { identifier: "a:*", match: "wildcard", constraints: [{ key: "k", value: "v", condition: "not-equal" }] }, action: { kind: "deny" } },
    { selector: { identifier: "b", match: "exact", constraints: [{ key: "k", value: "v", condition: "matches" }] }, action: { kind: "allow" } },
    { selector: { identifier: "c", match: "regex", constraints: [{ key: "k", value: "v", condition: "equal" }] }, action: { kind: "convert", identifier: "d", attrs: { e: "f" } } },
  ],
};

test("writtenPolicy() is read as it was meant", () => {
  const written = writtenPolicy({ sourcePolicies: [policy] });
  assert.ok(written !== null);
  assert.deepEqual(readRules(sourcePolicy.decode(encode(sourcePolicy, written)).rules), policy);
  assert.equal(writtenPolicy({}), null);
});

test("writtenPolicy() refuses several, of which a builder would hear one", () => {
  assert.throws(() => writtenPolicy({ sourcePolicies: [policy, policy] }), (error) => hasCode(error, "unsupported"));
});
