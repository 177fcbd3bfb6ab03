import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { openEstargz } from "../../../fixtures/estargz.js";
import { hasCode } from "../../errors.js";
import { digestOf } from "../../oci/digest.js";
import type { CompressorOptions } from "../compressor.js";
import { jobContext, tarNames, tarOf, tempDir } from "../diffFixture.js";
import { indexTar } from "./indexTar.js";
import { writeEstargz, type EstargzLayer } from "./writeEstargz.js";

const MIB = 1 << 20;
const noise = randomBytes(9 * MIB + 5);

const tar = tarOf(
  { name: "dir", type: "dir" },
  { name: "dir/empty" },
  { name: "dir/small", data: "small", xattrs: new Map([["user.b", Buffer.from("2")], ["user.a", Buffer.from([0xff])]]) },
  { name: "dir/\xc3\xbcml", data: "umlaut", uid: 1000, gid: 5, mtimeNs: 1_700_000_000_600_000_000n },
  { name: "link", type: "link", linkName: "dir/small" },
  { name: "symlink", type: "symlink", linkName: "dir", mtimeNs: 0n },
  { name: "null", type: "char", devMajor: 1, devMinor: 3 },
  { name: "whole", data: noise.subarray(0, 8 * MIB) },
  { name: ".wh.gone" },
  { name: "large", data: noise },
  { name: "last", data: "x".repeat(600) },
);

async function convert(t: TestContext, bytes: Buffer, options: CompressorOptions = {}): Promise<{ layer: EstargzLayer; blob: Buffer }> {
  const file = path.join(tempDir(t), "layer.tar");
  writeFileSync(file, bytes);
  const chunks: Uint8Array[] = [];
  const layer = await writeEstargz(file, indexTar({ tar: file }, jobContext()), (chunk) => void chunks.push(chunk), options);
  return { layer, blob: Buffer.concat(chunks) };
}

test("writeEstargz() lets each file be read by its place in the blob", async (t) => {
  const { layer, blob } = await convert(t, tar);
  const estargz = openEstargz(blob);
  assert.equal(estargz.tocDigest, layer.tocDigest);
  assert.equal(estargz.readFile("dir/empty").length, 0);
  assert.equal(estargz.readFile("dir/small").toString(), "small");
  assert.equal(estargz.readFile("dir/üml").toString(), "umlaut");
  assert.ok(estargz.readFile("whole").equals(noise.subarray(0, 8 * MIB)));
  assert.ok(estargz.readFile("large").equals(noise));
  assert.equal(estargz.readFile("last").length, 600);
});

test("writeEstargz() describes every entry in the table of contents", async (t) => {
  const { entries } = openEstargz((await convert(t, tar)).blob);
  const lines = entries.map(({ offset: _offset, digest: _digest, chunkDigest: _chunk, ...rest }) => rest);
  const time = { modtime: "2020-09-13T12:26:40Z" };
  assert.deepEqual(lines, [
    { name: "dir/", type: "dir", ...time, mode: 0o755 },
    { name: "dir/empty", type: "reg", ...time, mode: 0o644 },
    { name: "dir/small", type: "reg", size: 5, ...time, mode: 0o644, xattrs: { "user.a": "/w==", "user.b": "Mg==" } },
    { name: "dir/üml", type: "reg", size: 6, modtime: "2023-11-14T22:13:21Z", mode: 0o644, uid: 1000, gid: 5 },
    { name: "link", type: "hardlink", ...time, linkName: "dir/small", mode: 0o644 },
    { name: "symlink", type: "symlink", linkName: "dir", mode: 0o644 },
    { name: "null", type: "char", ...time, mode: 0o644, devMajor: 1, devMinor: 3 },
    { name: "whole", type: "reg", size: 8 * MIB, ...time, mode: 0o644, chunkSize: 4 * MIB },
    { name: "whole", type: "chunk", chunkOffset: 4 * MIB, chunkSize: 4 * MIB },
    { name: ".wh.gone", type: "reg", ...time, mode: 0o644 },
    { name: "large", type: "reg", size: noise.length, ...time, mode: 0o644, chunkSize: 4 * MIB },
    { name: "large", type: "chunk", chunkOffset: 4 * MIB, chunkSize: 4 * MIB },
    { name: "large", type: "chunk", chunkOffset: 8 * MIB },
    { name: "last", type: "reg", size: 600, ...time, mode: 0o644 },
  ]);
});

test("writeEstargz() keeps the tar as it was, its table of contents out of sight", async (t) => {
  const { layer, blob } = await convert(t, tar);
  const all = gunzipSync(blob);
  assert.ok(all.subarray(0, tar.length).equals(tar));
  assert.deepEqual([layer.size, layer.diffId], [all.length, digestOf(all)]);
  assert.deepEqual(tarNames(all), tarNames(tar));
});

test("writeEstargz() gives the same bytes for any concurrency, and others for another level", async (t) => {
  const { blob } = await convert(t, tar, { concurrency: 1 });
  for (const concurrency of [2, 16]) assert.ok((await convert(t, tar, { concurrency })).blob.equals(blob));
  const text = tarOf({ name: "text", data: "text ".repeat(10_000) });
  const levels = await Promise.all([0, 9].map((level) => convert(t, text, { level })));
  const [stored, small] = levels.map((made) => made.blob.length) as [number, number];
  assert.ok(small < stored);
  for (const made of levels) assert.equal(openEstargz(made.blob).readFile("text").length, 50_000);
});

test("writeEstargz() cuts a long run of headers into members, and takes an empty tar", async (t) => {
  const headers = tarOf(...Array.from({ length: 40_000 }, (_, index) => ({ name: `f${index}` })), { name: "end", data: "end" });
  const { blob } = await convert(t, headers);
  assert.equal(openEstargz(blob).readFile("end").toString(), "end");
  assert.deepEqual(openEstargz((await convert(t, Buffer.alloc(1024))).blob).entries, []);
});

test("writeEstargz() passes on what its output fails with, and stops when it is cancelled", async (t) => {
  const file = path.join(tempDir(t), "layer.tar");
  writeFileSync(file, tar);
  const index = indexTar({ tar: file }, jobContext());
  await assert.rejects(writeEstargz(file, index, () => Promise.reject(new Error("disk full"))), /disk full/);
  await assert.rejects(writeEstargz(file, index, () => {}, { signal: AbortSignal.abort() }), (error) => hasCode(error, "cancelled"));
});

test("indexTar() refuses what an eStargz layer cannot hold", async (t) => {
  await assert.rejects(convert(t, tarOf({ name: "./stargz.index.json", data: "{}" })), (error) => hasCode(error, "unsupported"));
  await assert.rejects(convert(t, tar.subarray(0, 5000)), (error) => hasCode(error, "corrupt"));
});

test("indexTar() reads a tar whose first name looks compressed", async (t) => {
  assert.equal(openEstargz((await convert(t, tarOf({ name: "BZh9", data: "bz" }))).blob).readFile("BZh9").toString(), "bz");
});
