import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TbuildError } from "../cache/errors.js";
import { BASE, testBuilder } from "../fixtures/testBuilder.js";

const rules = (warnings: readonly { readonly ruleName: string; readonly detail: string }[]) =>
  warnings.map(({ ruleName, detail }) => `${ruleName}: ${detail}`);

test("Builder.call() checks against the images of the store, the ignore file and the secrets of the build", async () => {
  await using tester = await testBuilder();
  const secret = path.join(tester.dir, "secret");
  writeFileSync(secret, "s3cr3t-value\n");
  const context = tester.context({
    Dockerfile: `FROM ${BASE}\nLABEL path=$PATH other=$PTH\nCOPY secret.env /\nRUN echo s3cr3t-value && exit 1\n`,
    ".dockerignore": "*.env\n",
  });
  const secrets = [{ id: "token", from: { kind: "file", path: secret } }] as const;
  const { result, error } = await tester.builder.call({ context, secrets }, "check");
  assert.equal(error, null);
  assert.deepEqual(rules(result.warnings), [
    "UndefinedVar: Usage of undefined variable '$PTH' (did you mean $PATH?)",
    'CopyIgnoredFile: Attempting to Copy file "secret.env" that is excluded by .dockerignore',
    'SecretValueExposed: RUN contains the value of secret "token", which others can read in the image or its history',
  ]);
});

test("Builder.call() answers with the outline and the targets", async () => {
  await using tester = await testBuilder();
  const context = tester.context({ Dockerfile: `FROM ${BASE} AS one\nARG A=\${PATH}\nFROM scratch AS two\nARG B=1\n` });
  const outline = await tester.builder.call({ context, target: "one" }, "outline");
  assert.deepEqual(outline.args?.map(({ name, value }) => [name, value]), [["A", "/usr/sbin:/usr/bin:/sbin:/bin"]]);
  const { targets } = await tester.builder.call({ context }, "targets");
  assert.deepEqual(targets.map(({ name }) => name), ["one", "two"]);
});

test("Builder.call() fails where there is no Dockerfile", async () => {
  await using tester = await testBuilder();
  await assert.rejects(tester.builder.call({ context: tester.context({}) }, "targets"), { code: "not_found" });
});

test("a check that is an error fails the build with all violations before a step runs", async () => {
  await using tester = await testBuilder();
  const context = tester.context({ Dockerfile: `# check=error=true\nFROM ${BASE} AS Loud\nRUN touch /a\nMAINTAINER me\n` });
  const build = tester.builder.build({ context });
  const started: string[] = [];
  for await (const event of build.progress) if (event.type === "vertex") started.push(event.name);
  await assert.rejects(build.result, (error: TbuildError) => {
    assert.equal(error.message, "Cannot build: Stage name 'Loud' should be lowercase");
    const [other] = error.others;
    assert.equal(other?.message, "Cannot build: Maintainer instruction is deprecated in favor of using label");
    return true;
  });
  assert.deepEqual(started.filter((name) => name.includes("RUN")), []);
});
