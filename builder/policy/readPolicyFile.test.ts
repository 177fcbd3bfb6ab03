import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parsePolicy, readPolicyFile } from "./readPolicyFile.js";

test("parsePolicy() reads BuildKit's JSON, enums by name or number", () => {
  const text = JSON.stringify({
    version: 1,
    rules: [
      { action: "CONVERT", selector: { identifier: "a", match_type: "REGEX" }, updates: { identifier: "b", attrs: { k: "v" } } },
      { action: 1, selector: { identifier: "c", matchType: 1, constraints: [{ key: "k", value: "v", condition: "NOTEQUAL" }] } },
      { selector: { identifier: "d" } },
    ],
  });
  assert.deepEqual(parsePolicy(text, "p").rules, [
    { selector: { identifier: "a", match: "regex", constraints: [] }, action: { kind: "convert", identifier: "b", attrs: { k: "v" } } },
    { selector: { identifier: "c", match: "exact", constraints: [{ key: "k", value: "v", condition: "not-equal" }] }, action: { kind: "deny" } },
    { selector: { identifier: "d", match: "wildcard", constraints: [] }, action: { kind: "allow" } },
  ]);
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ["{", /"p": it is no JSON/],
  ["[]", /it has to be an object/],
  [`{"rules": [{"action": "DENY"}]}`, /a rule has no selector/],
  [`{"rules": [{"action": "BLOCK", "selector": {"identifier": "x"}}]}`, /the rule about "x" is of unknown type "BLOCK"/],
  [`{"rules": [{"action": "CONVERT", "selector": {"identifier": "x"}}]}`, /does not say what to convert to/],
  [`{"rules": [{"selector": {"identifier": "x", "match_type": "GLOB"}}]}`, /"GLOB" is no way to match/],
  [`{"rules": [{"selector": {"identifier": "x"}, "update": {}}]}`, /"update" is unknown here/],
  [`{"version": 2}`, /version 2 is unknown/],
];

for (const [text, message] of mistakes) {
  test(`parsePolicy() refuses ${text}`, () => assert.throws(() => parsePolicy(text, "p"), (error) => hasCode(error, "invalid_argument") && message.test(String(error))));
}

test("readPolicyFile() says which file is not there", () => {
  assert.throws(() => readPolicyFile("/nowhere/policy.json"), (error) => hasCode(error, "not_found") && /"\/nowhere\/policy.json": ENOENT/.test(String(error)));
});
