import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { BASE, testBuilder, type TestBuilder } from "../../fixtures/testBuilder.js";

async function warningsOf(builder: TestBuilder, lines: readonly string[]): Promise<readonly string[]> {
  const context = builder.context({ Dockerfile: [`FROM ${BASE}`, ...lines].join("\n"), "dir/small": "x" });
  writeFileSync(path.join(context, "dir/big"), Buffer.alloc(2_000_000, 1));
  const { events } = await builder.run({ context });
  return events.flatMap((event) => (event.type === "warning" && event.warning.rule === "WastedFiles" ? [`${event.warning.at?.start.line}: ${event.warning.message}`] : []));
}

test("a build tells of copied files that a later layer deletes or replaces, with bytes and lines", async () => {
  await using builder = await testBuilder();
  assert.deepEqual(await warningsOf(builder, ["COPY dir /dir", "RUN rm -r /dir"]), [
    '2: 2.00MB of files from here are deleted or replaced by line 3, but stay in the image: "/dir/big" (2.00MB), "/dir/small" (1B)',
  ]);
  const [changed] = await warningsOf(builder, ["COPY dir /dir", "RUN true", "RUN chmod -R 700 /dir"]);
  assert.match(changed ?? "", /^2: 2\.00MB .* by line 4/);
});

test("a build is silent about files that stay, little waste, and stages that are only copied from", async () => {
  await using builder = await testBuilder();
  assert.deepEqual(await warningsOf(builder, ["COPY dir /dir", "RUN rm /dir/small && touch /dir"]), []);
  assert.deepEqual(await warningsOf(builder, ["COPY dir /dir", "RUN cp /dir/big / && rm /dir/big", `FROM ${BASE}`, "COPY --from=0 /big /"]), []);
});
