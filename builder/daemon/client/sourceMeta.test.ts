import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { digestOf } from "../../../cache/oci/digest.js";
import { git, gitDaemon } from "../../../fixtures/gitServer.js";
import { startFaultyServer } from "../../../fixtures/registry.js";
import { withGraphs } from "../../../fixtures/testGraph.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import { sourceMeta, type SourceQuestion } from "./sourceMeta.js";

const quiet = () => {};
const opts: StepOpts = { signal: new AbortController().signal, report: { log: quiet, warn: quiet, status: quiet, statusDone: quiet } };

function question(identifier: string, attrs: Readonly<Record<string, string>> = {}, more: Partial<SourceQuestion> = {}): SourceQuestion {
  const source = { kind: "source", identifier, attrs } as const;
  return { source, platform: null, logName: "", resolveMode: "", git: null, image: null, http: null, sourcePolicies: [], ...more };
}

test("sourceMeta() tells the commit and the ref of a repository", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-meta-"));
  try {
    git(dir, "init", "--quiet", "-b", "main", "app.git");
    const repo = path.join(dir, "app.git");
    writeFileSync(path.join(repo, "file"), "x");
    git(repo, "add", ".");
    git(repo, "commit", "-qm", "one");
    git(repo, "tag", "-a", "v1", "-m", "v1");
    const commit = git(repo, "rev-parse", "main").trim();
    const tag = git(repo, "rev-parse", "v1").trim();
    await using daemon = await gitDaemon(dir);
    const remote = `127.0.0.1:${daemon.port}/app.git`;
    await withGraphs(async ({ deps }) => {
      const ask = (ref: string, more = {}) => sourceMeta(deps.sources, question(`git://${remote}#${ref}`, { "git.fullurl": `git://${remote}` }, more), opts);
      assert.deepEqual((await ask("main")).git, { ref: "refs/heads/main", checksum: commit, commitChecksum: "" });
      assert.deepEqual((await ask("v1")).git, { ref: "refs/tags/v1", checksum: tag, commitChecksum: commit });
      await assert.rejects(ask("none"), (error) => hasCode(error, "not_found"));
      const objects = { git: { returnObject: true } };
      const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
      const [branch, tagged] = [(await ask("main", objects)).git, (await ask("v1", objects)).git];
      assert.equal(text(branch?.commitObject), `${git(repo, "cat-file", "commit", commit)}\n`);
      assert.equal(text(branch?.tagObject), "");
      assert.equal(text(tagged?.commitObject), text(branch?.commitObject));
      assert.equal(text(tagged?.tagObject), `${git(repo, "cat-file", "tag", tag)}\n`);
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("sourceMeta() tells digest, name and time of a download, and refuses what is neither", async () => {
  const modified = "Wed, 21 Oct 2015 07:28:00 GMT";
  await using server = await startFaultyServer((_, response) => void response.setHeader("last-modified", modified).end("hello"));
  await withGraphs(async ({ deps }) => {
    const { http } = await sourceMeta(deps.sources, question(`http://${server.host}/dir/name.txt`), opts);
    assert.deepEqual(http, { checksum: digestOf("hello"), filename: "name.txt", lastModified: Date.parse(modified), checksumResponse: null });
    const ask = (algo: number, suffix = Buffer.from("!")) => sourceMeta(deps.sources, question(`http://${server.host}/dir/name.txt`, {}, { http: { checksumRequest: { algo, suffix } } }), opts);
    const signed = (await ask(2)).http?.checksumResponse;
    assert.equal(signed?.digest, `sha512:${createHash("sha512").update("hello!").digest("hex")}`);
    await assert.rejects(ask(9), /unsupported checksum algorithm/);
    await assert.rejects(ask(0, Buffer.alloc(4097)), /exceeds max size/);
    for (const identifier of ["local://context", `docker-image+blob://nowhere.invalid/a@${digestOf("x")}`]) {
      assert.deepEqual(Object.keys(await sourceMeta(deps.sources, question(identifier), opts)), ["source"]);
    }
    for (const identifier of ["what://x", ""]) {
      await assert.rejects(sourceMeta(deps.sources, question(identifier), opts), (error) => hasCode(error, "unsupported"), identifier);
    }
  });
});
