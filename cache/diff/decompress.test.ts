import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import zlib from "node:zlib";
import { hasCode } from "../errors.js";
import { openDecompressed, sniffCompression } from "./decompress.js";
import { tarOf, tempDir } from "./diffFixture.js";
import { readThroughTool } from "./toolPipe.js";

const data = Buffer.concat([randomBytes(700_000), Buffer.alloc(1_000_000, "some text "), randomBytes(10)]);

function readAll(t: TestContext, bytes: Uint8Array): Buffer {
  const file = path.join(tempDir(t), "blob");
  fs.writeFileSync(file, bytes);
  using opened = openDecompressed(file);
  const chunks: Buffer[] = [];
  for (let chunk = opened.read(); chunk !== null; chunk = opened.read()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const kinds = [["gzip", "gzip"], ["zstd", "zstd"], ["bzip2", "bzip2"], ["xz", "xz"], ["cat", "none"]] as const;

for (const [tool, compression] of kinds) {
  const missing = spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0 ? false : `${tool} is not installed`;
  test(`openDecompressed() reads ${compression}`, { skip: missing }, (t) => {
    const packed = execFileSync(tool, tool === "cat" ? [] : ["-c"], { input: data, maxBuffer: 1e9 });
    assert.equal(sniffCompression(packed), compression);
    assert.ok(readAll(t, packed).equals(data));
    if (tool === "cat") return;
    assert.throws(() => readAll(t, packed.subarray(0, packed.length - 3)), (error) => hasCode(error, "corrupt"));
    const damaged = Buffer.from(packed);
    for (let at = 500; at < 600; at++) damaged[at]! ^= 0xff;
    assert.throws(() => readAll(t, damaged), (error) => hasCode(error, "corrupt"));
  });
}

test("sniffCompression() takes no tar whose first name begins like bzip2 for bzip2", () => {
  for (const name of ["BZh", "BZh9", "BZhang.txt"]) assert.equal(sniffCompression(tarOf({ name }).subarray(0, 6)), "none");
  assert.equal(sniffCompression(execFileSync("bzip2", ["-c"], { input: "" })), "bzip2");
});

test("openDecompressed() joins gzip members and ignores what follows them", (t) => {
  const [one, two] = [zlib.gzipSync(data), zlib.gzipSync("tail")];
  const whole = Buffer.concat([data, Buffer.from("tail")]);
  for (const after of [Buffer.alloc(0), Buffer.alloc(1000), Buffer.from("garbage"), Buffer.of(0x1f), Buffer.of(0x1f, 0x8b)]) {
    assert.ok(readAll(t, Buffer.concat([one, two, after])).equals(whole));
  }
});

test("openDecompressed() reads members that end at any place of its buffer", (t) => {
  const member = zlib.gzipSync(randomBytes(262_144 - 40), { level: 0 });
  const plain = zlib.gunzipSync(member);
  const tail = zlib.gzipSync("end");
  for (let shift = 0; shift < 40; shift++) {
    const head = zlib.gzipSync(Buffer.alloc(shift), { level: 0 });
    assert.equal(readAll(t, Buffer.concat([head, member, tail])).length, shift + plain.length + 3);
  }
});

test("openDecompressed() reads optional fields of a gzip header", (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(path.join(dir, "named"), data);
  execFileSync("gzip", ["-N", path.join(dir, "named")]);
  assert.ok(readAll(t, fs.readFileSync(path.join(dir, "named.gz"))).equals(data));
  const raw = zlib.deflateRawSync("x");
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(zlib.crc32("x"), 0);
  trailer.writeUInt32LE(1, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x6e, 0, 0x63, 0, 7, 7]);
  assert.equal(readAll(t, Buffer.concat([header, raw, trailer])).toString(), "x");
});

test("openDecompressed() refuses a gzip file with a wrong checksum", (t) => {
  const packed = zlib.gzipSync(data);
  packed[packed.length - 6]! ^= 1;
  assert.throws(() => readAll(t, packed), (error) => hasCode(error, "corrupt"));
});

test("openDecompressed() ends its program when it is disposed early", (t) => {
  const file = path.join(tempDir(t), "blob");
  fs.writeFileSync(file, execFileSync("xz", ["-c0"], { input: Buffer.alloc(50_000_000), maxBuffer: 1e9 }));
  const opened = openDecompressed(file);
  assert.ok(opened.read()!.length > 0);
  opened[Symbol.dispose]();
  assert.equal(opened.read(), null);
});

test("readThroughTool() reads gzip too, and names a missing program", (t) => {
  const file = path.join(tempDir(t), "blob");
  fs.writeFileSync(file, Buffer.concat([zlib.gzipSync("hello"), Buffer.from("garbage")]));
  const fd = fs.openSync(file, "r");
  t.after(() => fs.closeSync(fd));
  using tool = readThroughTool(fd, "gzip");
  assert.equal(tool.read()?.toString(), "hello");
  assert.equal(tool.read(), null);
  const path0 = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    assert.throws(() => readThroughTool(fd, "zstd"), (error) => hasCode(error, "unsupported"));
  } finally {
    process.env["PATH"] = path0;
  }
});
