import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { hasCode } from "../errors.js";
import { partBytes, tarNames, tarOf, type TarPart } from "./diffFixture.js";
import { BLOCK, writeChecksum, writeOctal } from "./fields.js";
import { decodeHeader } from "./header.js";
import { formatPax, formatTime, parsePax, parseTime } from "./pax.js";
import { openTar } from "./reader.js";

function readBack(bytes: Buffer) {
  const chunks = [bytes];
  const reader = openTar(() => chunks.shift() ?? null, () => undefined);
  return reader.next();
}

const plain: TarPart = { name: "a" };
const parts: readonly (readonly [string, TarPart, number])[] = [
  ["a plain file", plain, 512],
  ["a name of 100 bytes", { name: "n".repeat(100) }, 512],
  ["a name of 101 bytes", { name: "n".repeat(101) }, 1536],
  ["a name that is not UTF-8", { name: "caf\xe9/\xff" }, 1536],
  ["a long link", { name: "l", type: "symlink", linkName: "t".repeat(300) }, 1536],
  ["large owners", { name: "o", uid: 4294967294, gid: 2097152 }, 1536],
  ["nanoseconds", { name: "t", mtimeNs: 1_600_000_000_123_456_789n }, 1536],
  ["a time before the epoch", { name: "t", mtimeNs: -1_500_000_000n }, 1536],
  ["a setuid mode", { name: "s", mode: 0o4755 }, 512],
  ["a device", { name: "d", type: "char", devMajor: 10, devMinor: 229 }, 512],
  ["binary attributes", { name: "x", xattrs: new Map([["user.b", Buffer.of(0, 10, 255, 61)]]) }, 1536],
  ["a directory", { name: "dir/sub", type: "dir" }, 512],
];

for (const [title, part, bytes] of parts) {
  test(`encodeEntry() keeps ${title}`, () => {
    const encoded = partBytes(part);
    assert.equal(encoded.length, bytes);
    const entry = readBack(Buffer.concat([encoded, Buffer.alloc(1024)]));
    for (const [key, value] of Object.entries(part)) assert.deepEqual(entry?.[key as "name"], value);
    assert.equal(tarNames(Buffer.concat([encoded, Buffer.alloc(1024)])).length, 1);
  });
}

test("encodeEntry() keeps a size of 8 GiB and more", () => {
  const encoded = partBytes({ name: "big", size: 2 ** 33 });
  assert.match(encoded.toString("latin1", 512, 600), /^19 size=8589934592\n/);
  assert.equal(readBack(encoded)?.size, 2 ** 33);
});

test("decodeHeader() reads base-256 numbers", () => {
  const bytes = execFileSync("sh", ["-c", "tar --format=gnu --owner=:4294967294 --group=:3000000 -c -C / etc/hostname"]);
  const header = decodeHeader(bytes.subarray(0, BLOCK));
  assert.deepEqual([header.uid, header.gid], [4294967294, 3000000]);
});

function block(change: (bytes: Buffer) => void): Buffer {
  const bytes = partBytes(plain);
  change(bytes);
  return bytes;
}

const bad: readonly (readonly [string, Buffer])[] = [
  ["a wrong checksum", block((bytes) => bytes.write("b", 0))],
  ["a number that is not octal", block((bytes) => { bytes.write("9", 130); writeChecksum(bytes); })],
  ["a negative size", block((bytes) => { bytes.fill(0xff, 124, 136); writeChecksum(bytes); })],
  ["an empty name", block((bytes) => { bytes[0] = 0; writeChecksum(bytes); })],
  ["an owner of 2^32-1", partBytes({ name: "a", uid: 0xffffffff })],
  ["an extended header of 2 MiB", block((bytes) => {
    bytes[156] = 0x78;
    writeOctal(bytes, 124, 12, 2 ** 21);
    writeChecksum(bytes);
  })],
  ["a NUL in a PAX path", Buffer.concat([partBytes({ name: "\xe9\0b" })])],
  ["a single block of zeros", Buffer.concat([Buffer.alloc(512), partBytes(plain)])],
];

for (const [title, bytes] of bad) {
  test(`openTar() refuses ${title}`, () => {
    assert.throws(() => readBack(bytes), (error) => hasCode(error, "parse_failed"));
  });
}

test("openTar() refuses an unknown type", () => {
  const bytes = block((b) => { b.write("V", 156); writeChecksum(b); });
  assert.throws(() => readBack(bytes), (error) => hasCode(error, "unsupported"));
});

test("openTar() refuses an archive that is cut short anywhere", () => {
  const whole = tarOf({ name: "x".repeat(200), data: "hello" }, { name: "b", data: "y".repeat(600) });
  const end = whole.length - 1024;
  for (let length = 1; length < end; length += length % 512 === 0 ? 1 : Math.min(37, 512 - (length % 512))) {
    const chunks = [whole.subarray(0, length)];
    const reader = openTar(() => chunks.shift() ?? null, () => undefined);
    const readAll = (): void => { while (reader.next() !== null); };
    // Without the blocks of zeros, an archive may end after any entry.
    if (length === 2048) readAll();
    else assert.throws(readAll, (error) => hasCode(error, "corrupt"), `at ${length}`);
  }
});

test("openTar() reads the same entries whatever the chunks", () => {
  const long = { name: "x".repeat(200), data: "hello" };
  const whole = tarOf(long, { name: "b", data: "y".repeat(1600) }, { name: "d", type: "dir" });
  for (const size of [1, 7, 511, 512, 513, 4096]) {
    let at = 0;
    let seen = 0;
    const reader = openTar(
      () => { const part = whole.subarray(at, at + size); at += size; return part.length === 0 ? null : part; },
      (chunk) => (seen += chunk.length),
    );
    const found: string[] = [];
    for (let entry = reader.next(); entry !== null; entry = reader.next()) {
      let data = "";
      if (found.length !== 1) reader.readBody((chunk) => (data += chunk.toString()));
      found.push(`${entry.name.slice(0, 2)} ${entry.size} ${data}`);
    }
    assert.deepEqual(found, ["xx 5 hello", "b 1600 ", "d 0 "]);
    assert.equal(seen, whole.length);
  }
});

test("openTar() applies global records until an entry has its own", () => {
  const global = (text: Map<string, string>, flag: string): Buffer => {
    const body = formatPax(text);
    const header = partBytes({ name: "pax", size: body.length });
    header.write(flag, 156);
    writeChecksum(header);
    return Buffer.concat([header, body, Buffer.alloc(512 - body.length)]);
  };
  const bytes = Buffer.concat([
    global(new Map([["mtime", "5"], ["uid", "7"]]), "g"),
    partBytes(plain),
    global(new Map([["mtime", ""], ["uid", "8"]]), "x"),
    tarOf(plain),
  ]);
  const chunks = [bytes];
  const reader = openTar(() => chunks.shift() ?? null, () => undefined);
  const [first, second] = [reader.next(), reader.next()];
  const found = [first?.mtimeNs, first?.uid, second?.mtimeNs, second?.uid];
  assert.deepEqual(found, [5_000_000_000n, 7, 1_600_000_000_000_000_000n, 8]);
});

test("parsePax() refuses records with wrong lengths", () => {
  for (const text of ["5 a=b\n", "7 a=b\n", "6 a=bc", "x a=b\n", "6 =ab\n", "06 a=b\n", "99999999 a=b\n", "6 a=b\n6"]) {
    assert.throws(() => parsePax(Buffer.from(text)), (error) => hasCode(error, "parse_failed"), text);
  }
  assert.equal(parsePax(Buffer.from("6 a=b\n")).get("a"), "b");
});

test("formatPax() counts the digits of its own length", () => {
  for (let length = 0; length < 1100; length++) {
    const records = new Map([["k", "v".repeat(length)]]);
    assert.deepEqual(parsePax(formatPax(records)), records);
  }
});

test("formatTime() is undone by parseTime()", () => {
  for (const ns of [0n, 1n, -1n, 1_000_000_000n, -1_500_000_000n, 1_600_000_000_120_000_000n]) {
    assert.equal(parseTime(formatTime(ns)), ns);
  }
});
