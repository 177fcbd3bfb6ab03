import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import test from "node:test";
import zlib from "node:zlib";
import { createGzip, type GzipOptions } from "./gzip.js";

async function gzip(data: Buffer, step: number, options: GzipOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = createGzip((chunk) => void chunks.push(chunk), options);
  for (let at = 0; at < data.length; at += step) await writer.write(data.subarray(at, at + step));
  await writer.end();
  return Buffer.concat(chunks);
}

const MIB = 1 << 20;

for (const size of [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 77]) {
  test(`createGzip() compresses ${size} bytes as gunzip reads them`, async () => {
    const data = Buffer.concat([randomBytes(size / 4), Buffer.alloc(size, "text of some kind ")]).subarray(0, size);
    const packed = await gzip(data, 100_000);
    execFileSync("gzip", ["-t"], { input: packed });
    assert.ok(zlib.gunzipSync(packed).equals(data));
  });
}

test("createGzip() gives the same bytes for any chunks and concurrency", async () => {
  const data = Buffer.concat([randomBytes(MIB), Buffer.alloc(3 * MIB, "abc"), randomBytes(100)]);
  const expected = await gzip(data, data.length, { concurrency: 8 });
  for (const [step, concurrency] of [[65536, 1], [333_333, 2], [2 * MIB, 4]] as const) {
    assert.ok((await gzip(data, step, { concurrency })).equals(expected));
  }
});

test("createGzip() uses the block before as its dictionary", async () => {
  const once = randomBytes(30 * 1024);
  const data = Buffer.concat([Buffer.alloc(MIB - once.length), once, once]);
  assert.ok((await gzip(data, data.length)).length < 40 * 1024);
});

test("createGzip() passes on what its output fails with", async () => {
  const failing = createGzip(() => Promise.reject(new Error("disk full")), { concurrency: 1 });
  await assert.rejects(async () => {
    for (let i = 0; i < 10; i++) await failing.write(Buffer.alloc(MIB));
    await failing.end();
  }, /disk full/);
});

test("createGzip() gives its output one chunk at a time", async () => {
  let running = 0;
  const writer = createGzip(async () => {
    assert.equal(running++, 0);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  await writer.write(Buffer.alloc(5 * MIB));
  await writer.end();
});
