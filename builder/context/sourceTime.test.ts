import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { execFileSync } from "node:child_process";
import { sourceStep } from "../../frontend/dockerfile/convertNodes.js";
import type { Output } from "../../solver/llb/state.js";
import { sourceTime } from "./sourceTime.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-time-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const download = sourceStep("https://example.com/x", { "http.filename": "x" }, "download", [], null);

/** Opens this directory for a source, and another for anything that is made of it. */
const opener = (ofSource: string, ofRest = "") => async (tree: Output) => {
  const root = path.join(dir, tree.node.body.kind === "source" ? ofSource : ofRest);
  return Promise.resolve({ path: root, ignore: [], local: false, async [Symbol.asyncDispose]() {} });
};

function write(name: string, seconds: number, bytes: string | Buffer = "x"): void {
  const file = path.join(dir, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  utimesSync(file, seconds, seconds);
}

test("sourceTime() is that of a checkout's root", async () => {
  write("checkout/file", 5);
  utimesSync(path.join(dir, "checkout"), 7, 7);
  const git = sourceStep("git://example.com/app.git", {}, "git", [], null);
  assert.equal(await sourceTime(git, opener("checkout")), 7);
});

test("sourceTime() is what the server says of a download, or nothing", async () => {
  write("dated/x", 9);
  assert.equal(await sourceTime(download, opener("dated")), 9);
  write("undated/x", 0);
  assert.equal(await sourceTime(download, opener("undated")), null);
});

test("sourceTime() is that of the latest file of an archive without a time of its own", async () => {
  write("unpacked/deep/late", 13);
  write("unpacked/early", 11);
  write("archive/x", 0, execFileSync("tar", ["-C", path.join(dir, "unpacked"), "-c", "."]));
  assert.equal(await sourceTime(download, opener("archive", "unpacked")), 13);
});
