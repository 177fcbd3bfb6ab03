import assert from "node:assert/strict";
import test from "node:test";
import { TbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { fakeImages } from "../../fixtures/images.js";
import { type FrontendOptions, defaultFrontendOptions } from "../options.js";
import { lintDockerfile } from "./lint.js";

const platform = parsePlatform("linux/amd64");
const options: FrontendOptions = { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage: fakeImages };
const offline: FrontendOptions = {
  ...options,
  resolveImage: async (reference) => Promise.reject(new TbuildError("unavailable", `Cannot reach the registry of ${reference}`)),
};

async function found(text: string, given: FrontendOptions = options): Promise<readonly string[]> {
  const { result, error } = await lintDockerfile(text, given);
  const warnings = result.warnings.map(({ ruleName, location }) => `${ruleName}@${location.ranges[0]?.start.line ?? "-"}`);
  assert.equal(result.buildError?.message, error?.message);
  return error === null ? warnings : [...warnings, `${error.code}@${error.at?.start.line ?? "-"}`];
}

const stages = "FROM scratch AS One\nMAINTAINER me\nFROM scratch AS two\nCMD a\nFROM scratch\nENV a b\n";

test("lintDockerfile() checks all stages, or what the target needs", async () => {
  assert.deepEqual(await found(stages), ["StageNameCasing@1", "MaintainerDeprecated@2", "JSONArgsRecommended@4", "LegacyKeyValueFormat@6"]);
  assert.deepEqual(await found(stages, { ...options, target: "two" }), ["StageNameCasing@1", "JSONArgsRecommended@4"]);
});

test("lintDockerfile() has the form of BuildKit's result", async () => {
  const text = "FROM scratch\nMAINTAINER me\n";
  const { result } = await lintDockerfile(text, options);
  assert.deepEqual(result, {
    warnings: [
      {
        ruleName: "MaintainerDeprecated",
        description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
        url: "https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/",
        detail: "Maintainer instruction is deprecated in favor of using label",
        location: { sourceIndex: 0, ranges: [{ start: { line: 2, character: 0 }, end: { line: 2, character: 13 } }] },
      },
    ],
    sources: [{ filename: "Dockerfile", language: "Dockerfile", data: Buffer.from(text).toString("base64") }],
  });
});

test("lintDockerfile() tells why the file would not build, beside what else it found", async () => {
  const text = "FROM scratch AS One\nCOPY --chmod=9 a b\nMAINTAINER me\nCOPY --chmod=8 a b\n";
  const { error } = await lintDockerfile(text, options);
  assert.deepEqual(await found(text), ["StageNameCasing@1", "MaintainerDeprecated@3", "invalid_argument@2"]);
  assert.deepEqual(error?.others.map(({ at }) => at?.start.line), [4]);
  assert.deepEqual(await found("FROM scratch\nCOPPY a b\n"), ["parse_failed@2"]);
  assert.deepEqual(await found(stages, { ...options, target: "three" }), ["StageNameCasing@1", "not_found@-"]);
});

test("lintDockerfile() makes violations an error where the file says so", async () => {
  const { result, error } = await lintDockerfile("# check=error=true\nFROM scratch AS A\nMAINTAINER me\nCMD a\n", options);
  assert.equal(result.warnings.length, 3);
  assert.equal(error?.message, "Cannot build: lint violation found for rules: JSONArgsRecommended, MaintainerDeprecated, StageNameCasing");
});

test("lintDockerfile() needs no registry, and then does not guess at variables of the images", async () => {
  const text = "FROM app:1 AS app\nCMD $HOME\nFROM app AS more\nLABEL a=$APP_HOME\nFROM scratch\nLABEL a=$APP_HOME\nCOPY --from=app:2 /a /b\n";
  assert.deepEqual(await found(text, offline), ["JSONArgsRecommended@2", "UndefinedVar@6"]);
});

test("lintDockerfile() ends when it is cancelled", async () => {
  const resolveImage = async (): Promise<never> => Promise.reject(new TbuildError("cancelled", "Cancelled"));
  await assert.rejects(lintDockerfile("FROM app:1\n", { ...options, resolveImage }), { code: "cancelled" });
});
