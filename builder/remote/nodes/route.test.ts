import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform, parsePlatform } from "../../../cache/oci/platform.js";
import { route } from "./route.js";

const platforms = (...names: readonly string[]) => names.map((name) => parsePlatform(`linux/${name}`));

/** A node that is pinned to `pinned` and says that it runs `announced`. */
const node = (name: string, announced: readonly string[], pinned: readonly string[] = []) => ({ name, announced: platforms(...announced), pinned: platforms(...pinned) });

const routed = (wanted: readonly string[], nodes: readonly ReturnType<typeof node>[]) =>
  Object.fromEntries(route(platforms(...wanted), nodes, []).map((share) => [share.node.name, share.platforms.map(formatPlatform).map((name) => name.replace("linux/", ""))]));

const intel = node("intel", ["amd64", "amd64/v2", "386", "arm64", "arm/v7", "s390x"]);
const arm = node("arm", ["arm64", "arm/v7", "arm/v6", "amd64"]);

const cases: readonly (readonly [title: string, wanted: readonly string[], nodes: readonly ReturnType<typeof node>[], expected: Readonly<Record<string, readonly string[]>>])[] = [
  ["gives each platform to the node that runs it natively", ["arm64", "amd64"], [intel, arm], { intel: ["amd64"], arm: ["arm64"] }],
  ["keeps to the order asked for", ["s390x", "amd64/v2", "amd64"], [intel, arm], { intel: ["s390x", "amd64/v2", "amd64"] }],
  ["prefers a machine that can run 32-bit programs to one that emulates them", ["arm/v7", "386"], [intel, arm], { intel: ["386"], arm: ["arm/v7"] }],
  ["lets a node emulate what no other runs", ["arm64", "amd64"], [intel], { intel: ["arm64", "amd64"] }],
  ["lets a lower variant run on a higher one", ["arm/v6"], [node("arm", ["arm64", "arm/v7"])], { arm: ["arm/v6"] }],
  ["shares out what several emulate", ["amd64", "arm64"], [intel, node("other", ["amd64", "arm64"])], { intel: ["amd64"], other: ["arm64"] }],
  ["takes the first of equal nodes", ["amd64"], [intel, node("other", ["amd64"])], { intel: ["amd64"] }],
  ["takes the node that was given a platform before one that runs it", ["amd64", "arm64"], [intel, node("fast", ["riscv64"], ["amd64"]), arm], { fast: ["amd64"], arm: ["arm64"] }],
  ["keeps other platforms of a node that was given some", ["amd64"], [node("arm", ["arm64", "amd64"], ["arm64"])], { arm: ["amd64"] }],
];

for (const [title, wanted, nodes, expected] of cases) test(`route() ${title}`, () => assert.deepEqual(routed(wanted, nodes), expected));

test("route() refuses a platform that nobody runs, and names who runs what", () => {
  assert.throws(() => route(platforms("amd64", "s390x"), [arm, node("old", ["386"], ["386"])], []), {
    code: "unsupported",
    message: "Cannot build for linux/s390x: no node runs it",
    hint: '"arm" builds linux/arm64, linux/arm/v7, linux/arm/v6, linux/amd64; "old" builds linux/386',
  });
  assert.throws(() => route(platforms("amd64/v3"), [node("old", ["amd64"])], []), { code: "unsupported" });
});

test("route() tells of nodes that do not answer when they may be what is missing", () => {
  assert.throws(() => route(platforms("s390x"), [arm], [{ name: "mainframe", why: "connection refused" }]), {
    code: "unavailable",
    message: "Cannot build for linux/s390x: no node that answers runs it",
    hint: /"mainframe" does not answer: connection refused$/,
  });
});
