import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { createPacker } from "./pack.js";
import { applyBytes, describeTree, jobContext, tarNames, tempDir } from "./diffFixture.js";
import { diffLayer } from "./compare.js";

function windowsTar(lower: string | null, upper: string): Buffer {
  const ctx = jobContext();
  diffLayer({ source: { kind: "trees", lower, upper }, emit: true, clampMtime: null, form: "windows" }, ctx);
  return Buffer.concat(ctx.chunks);
}

function trees(t: Parameters<typeof tempDir>[0]): { readonly lower: string; readonly upper: string } {
  const dir = tempDir(t);
  const script = "mkdir -p lower upper/dir; echo 1 > lower/gone; echo 2 > upper/dir/file; ln upper/dir/file upper/other; ln -s dir/file upper/link; touch -hd @7 upper/dir/file upper/link upper/dir";
  execFileSync("bash", ["-ec", script], { cwd: dir });
  return { lower: path.join(dir, "lower"), upper: path.join(dir, "upper") };
}

test('a layer for Windows has its files below "Files", each with attributes and a security descriptor', (t) => {
  const { lower, upper } = trees(t);
  const tar = windowsTar(lower, upper);
  assert.deepEqual(tarNames(tar), ["Hives/", "Files/", "Files/dir/", "Files/dir/file", "Files/.wh.gone", "Files/link", "Files/other"]);
  const text = tar.toString("latin1");
  assert.match(text, /MSWINDOWS\.fileattr=16/);
  assert.match(text, /MSWINDOWS\.fileattr=32/);
  assert.match(text, /MSWINDOWS\.rawsd=AQAEgBQ/);
  assert.match(text, /LIBARCHIVE\.creationtime=7\.0/);
  assert.deepEqual(windowsTar(lower, upper), tar);
});

test("applyLayer() unpacks what a layer for Windows has below \"Files\", and nothing else of it", (t) => {
  const { lower, upper } = trees(t);
  applyBytes(lower, windowsTar(lower, upper));
  assert.deepEqual(describeTree(lower), describeTree(upper));
});

test('createPacker() leaves layers for Linux as they are, also those with a directory "Files"', (t) => {
  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, "upper", "Files"), { recursive: true });
  fs.mkdirSync(path.join(dir, "target"));
  const ctx = jobContext();
  const packer = createPacker({ emit: true, clampMtime: null }, ctx);
  packer.add(path.join(dir, "upper", "Files"), "Files", fs.lstatSync(path.join(dir, "upper", "Files"), { bigint: true }));
  packer.finish();
  applyBytes(path.join(dir, "target"), Buffer.concat(ctx.chunks));
  assert.deepEqual(fs.readdirSync(path.join(dir, "target")), ["Files"]);
});
