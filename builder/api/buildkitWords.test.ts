import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { fakeImages } from "../../fixtures/images.js";
import { dockerfileToDefinition } from "../../frontend/mod.js";
import { defaultFrontendOptions, type FrontendOptions } from "../../frontend/options.js";
import { buildkitWords } from "./buildkitWords.js";

const platform = parsePlatform("linux/amd64");

async function wordsFor(text: string, changes: Partial<FrontendOptions> = {}): Promise<string | null> {
  try {
    await dockerfileToDefinition(text, { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage: fakeImages, ...changes });
  } catch (error) {
    assert.ok(isTbuildError(error), String(error));
    return buildkitWords(error)?.text ?? null;
  }
  return assert.fail("no error");
}

const files: readonly (readonly [string, string, Partial<FrontendOptions>?])[] = [
  ["FROM scratch\n\nBADCMD x\n", "dockerfile parse error on line 3: unknown instruction: BADCMD"],
  ["FROM scratch\nFNTRYPOINT x\n", "dockerfile parse error on line 2: unknown instruction: FNTRYPOINT (did you mean ENTRYPOINT?)"],
  ["FROM scratch\nRUN --mont=x y\n", "unknown flag: --mont (did you mean mount?)"],
  ["ARG A\n", "dockerfile contains no stages to build"],
  ["FROM scratch\nENV A=\"${FOO:?foo missing}\"\n", "failed to process word: FOO: foo missing"],
  ["FROM scratch\nARG A\nCOPY --from=$A a b\n", "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround"],
  ["FROM busybox\nARG A\nRUN --mount=from=$A,target=/t true\n", "'from' doesn't support variable expansion, define alias stage instead"],
  ["FROM scratch\nCOPY --chmod=64a a b\n", "invalid chmod parameter: '64a'. it should be octal string and between 0 and 07777"],
  ["FROM scratch\nCOPY --from=later a b\nFROM scratch AS later\nCOPY --from=0 a b\n", 'cannot copy from stage "later", it needs to be defined before current stage'],
  ["FROM scratch AS build\n", 'target stage "bulid" could not be found (did you mean build?)', { target: "bulid" }],
  ["FROM busybox\nRUN --mount=typ=tmpfs true\n", "unexpected key 'typ' in mount (did you mean type?)"],
  ["FROM busybox\nRUN --mount=type=tmp,target=/t true\n", 'unsupported mount type "tmp" (did you mean tmpfs?)'],
  ["FROM --platform=$BULIDPLATFORM scratch\n", "empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)"],
  ["ARG MY_ARCH=amd64\nFROM --platform=linux/${MYARCH} scratch\n", 'failed to parse platform linux/${MYARCH}: "" is an invalid component of "linux/": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument (did you mean MY_ARCH?)'],
  ["# check=error=true\nFROM scratch as x\nCOPY a b\n", "lint violation found for rules: FromAsCasing"],
];

for (const [text, words, changes] of files) {
  test(`buildkitWords() says "${words}"`, async () => assert.equal(await wordsFor(text, changes), words));
}

test("buildkitWords() has none for most errors", () => {
  assert.equal(buildkitWords(new TbuildError("not_found", "Cannot find snapshot")), null);
});
