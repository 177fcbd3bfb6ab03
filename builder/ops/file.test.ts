import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { BASE, testBuilder } from "../../fixtures/testBuilder.js";

test("COPY --parents from a stage wants the paths that it names, and patterns need not fit anything", async () => {
  await using builder = await testBuilder();
  const run = (source: string) => {
    const lines = [`FROM ${BASE} AS a`, "RUN mkdir -p /a/b/c && echo f > /a/b/c/f", `FROM ${BASE}`, `COPY --from=a --parents ${source} /out/`, "RUN find /out -type f"];
    return builder.run({ context: builder.context({ Dockerfile: lines.join("\n") }) });
  };
  assert.equal((await run("/a/b")).output, "/out/a/b/c/f\n");
  assert.equal((await run("/a/./b/c/f")).output, "/out/b/c/f\n");
  assert.equal((await run("/a/x*/f")).output, "");
  for (const source of ["/a/none", "/a/./none", "/none/./b"]) {
    await assert.rejects(run(source), (error) => {
      assert.ok(isTbuildError(error));
      assert.deepEqual([error.code, error.at?.start.line], ["not_found", 4], error.message);
      assert.match(error.message, /^Cannot copy ".*none.*": no such path in stage "a"$/);
      return true;
    });
  }
});
