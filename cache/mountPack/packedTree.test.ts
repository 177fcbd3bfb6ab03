import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTree, encodeTree, type PackedEntry } from "./packedTree.js";

const as = { mode: 0o755, uid: 0, gid: 0, mtime: "1700000000123456789" };
const root: PackedEntry = { path: "", type: "directory", ...as };
const chunk = [0, 0, 5, "a".repeat(64)] as const;
const file = (path: string, more: object = {}): PackedEntry => ({ path, type: "file", ...as, chunks: [chunk], ...more }) as PackedEntry;

test("decodeTree() reads what encodeTree() writes", () => {
  const entries: readonly PackedEntry[] = [
    root,
    { path: "d\xff", type: "directory", ...as, mtime: "-1" },
    file("d\xff/f\n", { xattrs: { "user.x": "AQ==" } }),
    { path: "d\xff/h", type: "link", to: "d\xff/f\n" },
    { path: "s", type: "symlink", to: "/etc/../etc/passwd", ...as },
  ];
  assert.deepEqual(decodeTree(encodeTree({ entries }), 1), { entries });
});

const lies: Readonly<Record<string, readonly unknown[]>> = {
  "no root": [file("a")],
  "two roots": [root, root],
  "a path out of the tree": [root, file("../a")],
  "an absolute path": [root, file("/a")],
  "a path through a dot": [root, file("./a")],
  "a path with an empty name": [root, file("a/")],
  "a path with a NUL": [root, file("a\0b")],
  "a path of wide characters": [root, file("\u0100")],
  "a directory that is not there": [root, file("d/a")],
  "a path through a link": [root, { path: "l", type: "symlink", to: "/etc", ...as }, file("l/passwd")],
  "a path through a file": [root, file("f"), file("f/a")],
  "a name that is there twice": [root, file("a"), { path: "a", type: "symlink", to: "b", ...as }],
  "a hard link to nothing": [root, { path: "h", type: "link", to: "/etc/passwd" }],
  "a hard link to a symlink": [root, { path: "s", type: "symlink", to: "/etc/passwd", ...as }, { path: "h", type: "link", to: "s" }],
  "a device": [root, { path: "dev", type: "device", ...as }],
  "no entry": [root, null],
  "a mode that is none": [root, file("a", { mode: 0o20644 })],
  "an owner that is none": [root, file("a", { uid: -1 })],
  "a time that is none": [root, file("a", { mtime: "99999999999999999999" })],
  "a time beyond the kernel's": [root, file("a", { mtime: "9999999999999999999" })],
  "attributes that are none": [root, file("a", { xattrs: { x: 1 } })],
  "a pack that is not there": [root, file("a", { chunks: [[1, 0, 5, "a".repeat(64)]] })],
  "a chunk beyond every pack": [root, file("a", { chunks: [[0, 1e9, 5, "a".repeat(64)]] })],
  "a chunk before its pack": [root, file("a", { chunks: [[0, -1, 5, "a".repeat(64)]] })],
  "a chunk without a digest": [root, file("a", { chunks: [[0, 0, 5, "x"]] })],
  "no chunks": [root, file("a", { chunks: null })],
  "chunks that are none": [root, file("a", { chunks: [7] })],
};

for (const [name, entries] of Object.entries(lies)) {
  test(`decodeTree() refuses ${name}`, () => {
    assert.throws(() => decodeTree(encodeTree({ entries: entries as readonly PackedEntry[] }), 1), { code: "corrupt" });
  });
}

test("decodeTree() refuses what is no tree", () => {
  for (const bytes of [Buffer.from("x"), Buffer.alloc(0)]) assert.throws(() => decodeTree(bytes, 1), { code: "corrupt" });
});
