import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { evaluateRules } from "./evaluate.js";
import type { PolicyAction, PolicyRule, SourceSelector } from "./policy.js";

const allow: PolicyAction = { kind: "allow" };
const deny: PolicyAction = { kind: "deny" };
const to = (identifier: string, attrs: Record<string, string> = {}): PolicyAction => ({ kind: "convert", identifier, attrs });
const rule = (identifier: string, action: PolicyAction, selector: Partial<SourceSelector> = {}): PolicyRule => ({
  selector: { identifier, match: "wildcard", constraints: [], ...selector },
  action,
});

/** Identifier, and attributes where there are any. */
function decided(identifier: string, rules: readonly PolicyRule[], attrs: Readonly<Record<string, string>> = {}): string {
  const source = evaluateRules([{ rules }], { identifier, attrs, platform: null });
  return [source.identifier, ...Object.entries(source.attrs).map(([key, value]) => `${key}=${value}`)].join(" ");
}

const regex = { match: "regex" } as const;
const exact = { match: "exact" } as const;
const image = "docker-image://docker.io/library/golang:1.19";
const busybox = "docker-image://docker.io/library/busybox";

const conversions: readonly (readonly [string, string, readonly PolicyRule[], string])[] = [
  ["leaves what no rule fits", image, [rule(`${busybox}:*`, deny)], image],
  ["lets a later rule allow again", image, [rule("*", deny), rule("docker-image://*", allow)], image],
  ["puts the texts of wildcards in", image, [rule("docker-image://docker.io/library/golang:*", to("docker-image://mirror.test/golang:${1}-alpine"))], "docker-image://mirror.test/golang:1.19-alpine"],
  ["puts the groups of an expression in", image, [rule("^docker-image://docker\\.io/(?P<path>[^:]+):(.*)$", to("docker-image://mirror.test/${path}:$2"), regex)], "docker-image://mirror.test/library/golang:1.19"],
  ["replaces the part that an expression fits", "https://a.test/x/a.test", [rule("a\\.test", to("b$$"), regex)], "https://b$/x/b$"],
  ["leaves the identifier of an exact rule as it is written", image, [rule(image, to("docker-image://x/$1:1"), exact)], "docker-image://x/$1:1"],
  ["changes attributes alone", "https://a.test/f", [rule("https://a.test/f", to("", { "http.checksum": "sha256:1" }))], "https://a.test/f http.checksum=sha256:1"],
  ["goes on with what it made", image, [rule(image, to(`${busybox}:1`), exact), rule(`${busybox}:1`, to(`${busybox}:2`), exact)], `${busybox}:2`],
  ["knows short names of images", "docker-image://busybox", [rule(`${busybox}:latest`, to(`${busybox}:1`), exact)], `${busybox}:1`],
  ["knows directories of repositories by their plain name", "git://h/r.git#main:../a", [rule("git://h/r.git#main:a", to("git://h/r.git#main:b"), exact)], "git://h/r.git#main:b"],
];

for (const [title, identifier, rules, expected] of conversions) {
  test(`evaluateRules() ${title}`, () => assert.equal(decided(identifier, rules), expected));
}

test("evaluateRules() looks at attributes", () => {
  const rules = (condition: "equal" | "not-equal" | "matches", value: string) => [rule("*", deny, { constraints: [{ key: "k", value, condition }] })];
  const denied = (attrs: Record<string, string>, ...args: Parameters<typeof rules>) => {
    try {
      decided(image, rules(...args), attrs);
      return false;
    } catch (error) {
      assert.ok(hasCode(error, "permission_denied"));
      return true;
    }
  };
  assert.deepEqual([denied({ k: "v" }, "equal", "v"), denied({ k: "w" }, "equal", "v"), denied({}, "equal", "")], [true, false, true]);
  assert.deepEqual([denied({ k: "v" }, "not-equal", "v"), denied({}, "not-equal", "v")], [false, true]);
  assert.deepEqual([denied({ k: "abc" }, "matches", "^a.c$"), denied({ k: "b" }, "matches", "^a")], [true, false]);
});

test("evaluateRules() asks every set of rules, and says which source is denied", () => {
  const sets = [{ rules: [rule(image, to(`${busybox}:1`), exact)] }, { rules: [rule(`${busybox}*`, deny)] }];
  assert.throws(
    () => evaluateRules(sets, { identifier: image, attrs: {}, platform: null }),
    (error) => hasCode(error, "permission_denied") && String(error).includes(`Cannot use "${busybox}:1": the source policy denies it`),
  );
});

test("evaluateRules() ends changes without an end, and refuses patterns that are none", () => {
  assert.throws(() => decided(image, [rule("*", to("${1}x"))]), (error) => hasCode(error, "invalid_argument") && /goes on changing/.test(String(error)));
  assert.throws(() => decided(image, [rule("a**", deny)]), (error) => hasCode(error, "invalid_argument"));
  assert.throws(() => decided(image, [rule("(", deny, regex)]), (error) => hasCode(error, "invalid_argument") && /no regular expression/.test(String(error)));
});
