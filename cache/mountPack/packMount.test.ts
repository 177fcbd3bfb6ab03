import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";
import type { PackMountOutput } from "../bulk/mountJobs.js";
import { lgetxattr, lsetxattr } from "../sys/xattr.js";
import { tempDir } from "../testing/tempDir.js";
import { readRecord, recordedTree } from "./mountRecord.js";
import { packMount } from "./packMount.js";
import { unpackMount } from "./unpackMount.js";

type Packed = Extract<PackMountOutput, { kind: "packed" }>;

/** A mount and the packs that a cache has of it. */
interface Bench {
  readonly mount: string;
  /** Packs of the last tree, in its order. */
  packs: readonly Buffer[];
  /** Bytes of new packs. */
  pack(hooks?: { readonly onTick?: () => void; readonly basis?: "none" }): Packed & { readonly added: number };
  unpack(change?: (packs: Buffer[]) => void, maxBytes?: number): string;
  write(name: string, content: string | Buffer): void;
}

function bench(dir: string): Bench {
  const mount = path.join(dir, "0");
  mkdirSync(mount);
  let unpacked = 0;
  const self: Bench = {
    mount,
    packs: [],
    pack({ onTick = () => {}, basis } = {}) {
      const made: Buffer[] = [];
      const ctx = { tick: onTick, emit: (pack: Uint8Array) => void made.push(Buffer.from(pack)) };
      const base = basis === "none" || !existsSync(path.join(dir, "cache.tree")) ? null : { tree: path.join(dir, "cache.tree"), packs: self.packs.length };
      const found = packMount({ path: mount, maxBytes: 1e9, basis: base, scratch: [path.join(dir, "tree"), path.join(dir, "other")] }, ctx);
      assert.ok(found.kind === "packed");
      assert.equal(made.length, found.made);
      renameSync(path.join(dir, "tree"), path.join(dir, "cache.tree"));
      self.packs = [...found.kept.map((index) => self.packs[index]!), ...made];
      return { ...found, added: made.reduce((sum, { length }) => sum + length, 0) };
    },
    unpack(change = () => {}, maxBytes = 1e9) {
      const to = path.join(dir, `unpacked-${unpacked++}`);
      mkdirSync(to);
      const packs = [...self.packs];
      change(packs);
      const files = packs.map((pack, index) => {
        const file = path.join(dir, `pack-${index}`);
        writeFileSync(file, zlib.gzipSync(pack));
        return file;
      });
      unpackMount({ tree: path.join(dir, "cache.tree"), packs: files, to, mount: `${to}.mount`, scratch: path.join(dir, "other"), maxBytes }, { tick: () => {}, emit: () => {} });
      return to;
    },
    write: (name, content) => writeFileSync(path.join(mount, name), content),
  };
  return self;
}

/** Bytes that say nothing, always the same for one seed. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
}

function assertEqualTrees(a: string, b: string): void {
  const names = (dir: string) => readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  assert.deepEqual(names(a), names(b));
  for (const name of names(a)) if (statSync(path.join(a, name)).isFile()) assert.ok(readFileSync(path.join(a, name)).equals(readFileSync(path.join(b, name))), name);
}

test("packMount() packs small files together, and cuts large ones", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  for (let index = 0; index < 500; index++) mount.write(`small${index}`, noise(2000, index + 1));
  mount.write("large", noise(40_000_000, 7));
  const { made, bytes, files } = mount.pack();
  assert.ok(made >= 3 && made <= 20, `${made} packs`);
  assert.deepEqual([bytes, files], [41_000_000, 502]);
  assertEqualTrees(mount.unpack(), mount.mount);
});

test("packMount() makes the same packs of the same files, and hands out only what is new", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  for (let index = 0; index < 300; index++) mount.write(`f${index}`, noise(5000, index + 1));
  mount.write("large", noise(20_000_000, 7));
  const first = mount.pack();
  const again = mount.pack({ basis: "none" });
  assert.deepEqual(again.tree, first.tree);
  assert.deepEqual([mount.pack().tree, mount.pack().added], [first.tree, 0], "nothing is new");
  const bytes = readFileSync(path.join(mount.mount, "large"));
  mount.write("large", Buffer.concat([bytes.subarray(0, 9_000_000), Buffer.from("inserted"), bytes.subarray(9_000_000)]));
  const inserted = mount.pack();
  assert.ok(inserted.added < 4_200_000 * 2, `${inserted.added} bytes: the chunks around it`);
  mount.write("f7", "short");
  assert.equal(mount.pack().added, 5);
  assertEqualTrees(mount.unpack(), mount.mount);
});

test("packMount() reads no file that is as it was recorded", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  mount.write("a", "aaa");
  mount.write("b", "bbb");
  await new Promise((resolve) => setTimeout(resolve, 40));
  mount.pack();
  let read = 0;
  const count = (): void => void read++;
  mount.pack({ onTick: count });
  const untouched = read;
  mount.write("b", "BBB");
  read = 0;
  mount.pack({ onTick: count });
  assert.equal(read, untouched + 1, "one chunk");
  const copy = mount.unpack();
  assert.deepEqual([...readRecord(`${copy}.mount`)!.identities.keys()], ["a", "b"]);
  assert.ok(existsSync(recordedTree(`${copy}.mount`)));
});

test("packMount() gives up packs that are mostly waste, and puts many small ones together", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  for (let index = 0; index < 10; index++) mount.write(`f${index}`, noise(200_000, index + 1));
  mount.pack();
  for (let index = 0; index < 6; index++) rmSync(path.join(mount.mount, `f${index}`));
  const { kept, added } = mount.pack();
  assert.deepEqual([kept, added], [[], 800_000]);
  for (let index = 0; index < 40; index++) {
    mount.write(`g${index}`, noise(1000, index + 100));
    mount.pack();
  }
  assert.ok(mount.packs.length <= 18, `${mount.packs.length} packs`);
  assertEqualTrees(mount.unpack(), mount.mount);
});

test("packMount() leaves out a file that changes while it is read", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  mount.write("a", "aaa");
  mount.write("b", "bbb");
  mount.write("c", "ccc");
  let ticks = 0;
  const { leftOut } = mount.pack({ onTick: () => void (++ticks === 4 && appendFileSync(path.join(mount.mount, "b"), "more")) });
  assert.equal(leftOut, 1);
  assert.deepEqual(readdirSync(mount.unpack()).sort(), ["a", "c"]);
});

test("unpackMount() refuses packs that are not as the tree says, and more bytes than were said", async () => {
  await using dir = await tempDir();
  const mount = bench(dir.path);
  mount.write("a", noise(1000, 1));
  lsetxattr(path.join(mount.mount, "a"), Buffer.from("user.x"), Buffer.from([1, 0, 255]));
  mount.pack();
  assert.deepEqual(lgetxattr(path.join(mount.unpack(), "a"), Buffer.from("user.x")), Buffer.from([1, 0, 255]));
  const refused = /Cannot read the files of a cache mount/;
  assert.throws(() => mount.unpack((packs) => (packs[0] = noise(1000, 2))), refused);
  assert.throws(() => mount.unpack((packs) => (packs[0] = packs[0]!.subarray(1))), refused);
  assert.throws(() => mount.unpack((packs) => (packs[0] = Buffer.alloc(30 << 20))), refused);
  assert.throws(() => mount.unpack((packs) => packs.pop()), refused);
  assert.throws(() => mount.unpack(() => {}, 999), refused);
});
