import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { base, withGraphs } from "../../fixtures/testGraph.js";
import { exec, output } from "../../solver/llb/state.js";

const sh = (script: string) => ["/bin/sh", "-c", script];

test("a step may say which exit statuses are no failure", async () => {
  await withGraphs(async ({ read, run }) => {
    const step = (script: string, validExitCodes: readonly number[]) =>
      output(exec({ meta: { args: sh(script), validExitCodes }, mounts: [{ dest: "/", from: base, keep: true }] }));
    assert.equal(await read(step("echo x > /f; exit 3", [3]), (root) => readFileSync(`${root}/f`, "utf8")), "x\n");
    await assert.rejects(run(step("true", [3])), (error) => hasCode(error, "process_failed"));
    await assert.rejects(run(step("kill -9 $$", [137])), (error) => hasCode(error, "process_failed"));
  });
});

test("a mount point may be relative to where the process starts", async () => {
  await withGraphs(async ({ read }) => {
    const step = exec({ meta: { args: sh("echo x > /root/here/f"), cwd: "/root" }, mounts: [{ dest: "/", from: base }, { dest: "here", keep: true }] });
    assert.equal(await read(output(step), (root) => readFileSync(`${root}/f`, "utf8")), "x\n");
  });
});
