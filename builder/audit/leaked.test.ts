import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { BASE, testBuilder, type TestBuilder } from "../../fixtures/testBuilder.js";

const VALUE = "s3cr3t-t0k3n";

function request(builder: TestBuilder, lines: readonly string[]) {
  const context = builder.context({ Dockerfile: lines.join("\n"), ".npmrc": `//registry/:_authToken=${VALUE}\n` });
  const file = path.join(builder.context({}), "token");
  writeFileSync(file, `${VALUE}\n`);
  return { context, secrets: [{ id: "token", from: { kind: "file", path: file } }] } as const;
}

async function leaksOf(builder: TestBuilder, lines: readonly string[]): Promise<readonly string[]> {
  const { events } = await builder.run(request(builder, lines));
  return events.flatMap((event) => (event.type === "warning" && event.warning.rule === "SecretValueExposed" ? [`${event.warning.at?.start.line}: ${event.warning.message}`] : []));
}

test("a build tells of files of its layers that contain a secret's value, with the line that made them", async () => {
  await using builder = await testBuilder();
  const rest = 'contains the value of secret "token", which others can read in the image or its history';
  assert.deepEqual(
    await leaksOf(builder, [`FROM ${BASE}`, "RUN --mount=type=secret,id=token cp /run/secrets/token /etc/token", "COPY .npmrc /root/", "RUN true"]),
    [`2: File "/etc/token" ${rest}`, `3: File "/root/.npmrc" ${rest}`],
  );
});

test("a build is silent about secrets that are only mounted, or left in a stage that is copied from", async () => {
  await using builder = await testBuilder();
  const use = "RUN --mount=type=secret,id=token";
  assert.deepEqual(await leaksOf(builder, [`FROM ${BASE}`, `${use} wc -c < /run/secrets/token > /size`]), []);
  assert.deepEqual(await leaksOf(builder, [`FROM ${BASE}`, `${use} cp /run/secrets/token /token; touch /out`, `FROM ${BASE}`, "COPY --from=0 /out /"]), []);
  assert.deepEqual(await leaksOf(builder, ["# check=skip=SecretValueExposed", `FROM ${BASE}`, "COPY .npmrc /"]), []);
});

test("what is found in layers fails the build when the file says that checks do", async () => {
  await using builder = await testBuilder();
  const lines = ["# check=error=true", `FROM ${BASE}`, "COPY .npmrc /"];
  await assert.rejects(builder.run(request(builder, lines)), (error) => isTbuildError(error) && error.at?.start.line === 3 && /File "\/\.npmrc" contains/.test(error.message));
  assert.equal(builder.builder.store.images.list().length, 1);
});
