import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { hasCode } from "../errors.js";
import type { CompressorOptions } from "./compressor.js";
import { createZstd } from "./zstd.js";

const MIB = 1 << 20;

async function zstd(data: Buffer, step: number, options: CompressorOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await using writer = createZstd((chunk) => void chunks.push(Buffer.from(chunk)), options);
  for (let at = 0; at < data.length; at += step) await writer.write(data.subarray(at, at + step));
  await writer.end();
  return Buffer.concat(chunks);
}

function unzstd(packed: Buffer): Buffer {
  return execFileSync("zstd", ["-dc"], { input: packed, maxBuffer: 1e9 });
}

const mixed = Buffer.concat([randomBytes(MIB), Buffer.alloc(20 * MIB, "some words that repeat "), randomBytes(100)]);

test("createZstd() compresses as zstd reads it, at every level and when empty", async () => {
  const data = mixed.subarray(MIB - 1000, 2 * MIB);
  for (const level of [undefined, 0, 1, 3, 9, 19, 20, 22]) assert.ok(unzstd(await zstd(data, 65536, { level })).equals(data));
  assert.equal(unzstd(await zstd(Buffer.alloc(0), 1)).length, 0);
});

test("createZstd() gives the same bytes for any chunks and concurrency", async () => {
  for (const level of [1, 3]) {
    const expected = await zstd(mixed, mixed.length, { level, concurrency: 4 });
    for (const [step, concurrency] of [[65_536, 1], [333_333, 2], [2 * MIB, 8]] as const) {
      assert.ok((await zstd(mixed, step, { level, concurrency })).equals(expected));
    }
  }
});

test("createZstd() asks no reader for more than a window of 8 MiB", async () => {
  const frame = await zstd(mixed, MIB, { level: 22 });
  // Window descriptor of a frame without a single segment. Source: RFC 8878, 3.1.1.1.2
  assert.equal(frame[4]! & 0x20, 0);
  assert.ok(10 + (frame[5]! >> 3) <= 23);
});

test("createZstd() passes on what its output fails with, and can be given up", async () => {
  await using failing = createZstd(() => Promise.reject(new Error("disk full")), { concurrency: 1 });
  const noise = randomBytes(4 * MIB);
  await assert.rejects(async () => {
    for (let i = 0; i < 20; i++) await failing.write(noise);
    await failing.end();
  }, /disk full/);
  await using abandoned = createZstd(() => {});
  await abandoned.write(noise);
});

test("createZstd() names the missing program", () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    assert.throws(() => createZstd(() => {}), (error) => hasCode(error, "unsupported"));
  } finally {
    process.env["PATH"] = path;
  }
});
