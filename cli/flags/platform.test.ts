import assert from "node:assert/strict";
import test from "node:test";
import { formatPlatform, hostPlatform } from "../../cache/oci/platform.js";
import { parsePlatforms } from "./platform.js";

test("parsePlatforms() keeps the order given, and knows this machine's as local", () => {
  assert.deepEqual(parsePlatforms(["linux/arm/v7", "local"]).map(formatPlatform), ["linux/arm/v7", formatPlatform(hostPlatform())]);
  assert.throws(() => parsePlatforms(["linux/a/b/c"]), { code: "invalid_argument" });
});

test("parsePlatforms() takes $DOCKER_DEFAULT_PLATFORM when none is given", () => {
  const env = { DOCKER_DEFAULT_PLATFORM: "linux/arm64,linux/386" };
  assert.deepEqual(parsePlatforms([], env).map(formatPlatform), ["linux/arm64", "linux/386"]);
  assert.deepEqual(parsePlatforms(["linux/amd64"], env).map(formatPlatform), ["linux/amd64"]);
  assert.deepEqual(parsePlatforms([], {}), []);
});
