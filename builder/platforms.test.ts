import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform, parsePlatform } from "../cache/oci/platform.js";
import { rootKind, targetPlatforms } from "./platforms.js";

const platforms = ["linux/arm64", "linux/amd64"].map((name) => parsePlatform(name));

test("targetPlatforms() keeps the order asked for and each platform once; this machine's when none is asked for", () => {
  assert.deepEqual(targetPlatforms({ platforms: [...platforms, parsePlatform("linux/arm64/v8")] }), platforms);
  assert.deepEqual(targetPlatforms({}), [hostPlatform()]);
  assert.deepEqual(targetPlatforms({ platforms: [] }), [hostPlatform()]);
});

test("rootKind() is an index for several platforms, or when BUILDKIT_MULTI_PLATFORM says so", () => {
  const kind = (count: number, value?: string) => rootKind({ platforms: platforms.slice(0, count), buildArgs: value === undefined ? {} : { BUILDKIT_MULTI_PLATFORM: value } });
  assert.deepEqual([kind(1), kind(2), kind(1, "1"), kind(1, "false"), kind(2, "true"), kind(2, "")], ["manifest", "index", "index", "manifest", "index", "index"]);
  assert.throws(() => kind(2, "0"), { code: "invalid_argument", message: /allows only one/ });
  assert.throws(() => kind(1, "maybe"), { code: "invalid_argument", message: /true or false/ });
});
