import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform, hostPlatform, parsePlatform } from "../../../cache/oci/platform.js";
import { platformWarnings } from "./platformWarnings.js";

const cases: readonly (readonly [asked: string, made: readonly string[], isIndex: boolean, expected: RegExp | null])[] = [
  ["", [formatPlatform(hostPlatform())], false, null],
  ["", ["linux/amd64", "linux/s390x"], true, /do not match result platforms linux\/amd64,linux\/s390x$/],
  ["linux/amd64", ["linux/amd64"], false, null],
  ["linux/arm64,linux/amd64", ["linux/amd64", "linux/arm64"], true, null],
  ["linux/amd64,linux/arm64", ["linux/amd64"], false, /^Multiple platforms requested but result is not multi-platform$/],
  ["linux/arm64", ["linux/amd64"], false, /^Requested platform "linux\/arm64" does not match result platform "linux\/amd64"$/],
  ["linux/amd64,linux/s390x", ["linux/amd64", "linux/arm64"], true, /^Requested platforms linux\/amd64,linux\/s390x do not match/],
  ["linux/amd64,linux/amd64", ["linux/amd64"], false, /^Duplicate platform/],
  ["a/b/c/d", ["linux/amd64"], false, /^Invalid platform result requested "a\/b\/c\/d"/],
];

for (const [asked, made, isIndex, expected] of cases) {
  test(`platformWarnings() of "${asked}" for ${made.join()}${isIndex ? " in an index" : ""}`, () => {
    const [warning] = platformWarnings(asked, made.map((text) => parsePlatform(text)), isIndex);
    if (expected === null) assert.equal(warning, undefined);
    else assert.match(warning?.message ?? "", expected);
  });
}
