import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createPool } from "../../cache/bulk/pool.js";
import { hasCode } from "../../cache/errors.js";
import { listLocalCopies } from "../../cache/localCopies.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { lutimes } from "../../cache/sys/node.js";
import { send, sendsDirectory } from "../../fixtures/fileSender.js";
import { type ClientCall, messagesOf, type Offers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { type NewPacket, packet, syncFiles } from "../api/sessionFiles.js";
import { type SyncedDirectory, syncDirectory, type SyncRequest } from "./fileSync.js";

const plain: SyncRequest = { name: "context", sharedKeyHint: "", exclude: [], include: [], followPaths: [], differ: "metadata" };

interface Place {
  /** The client's directory. */
  readonly from: string;
  readonly root: string;
  sync(offers: Offers, request?: Partial<SyncRequest>, opts?: { readonly signal?: AbortSignal }): Promise<SyncedDirectory>;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await using dir = await tempDir();
  await using pool = createPool();
  const root = path.join(dir.path, "store");
  const from = path.join(dir.path, "from");
  mkdirSync(root);
  mkdirSync(from);
  await body({
    from,
    root,
    sync: (offers, request = {}, opts = {}) =>
      withSession(offers, (session) => syncDirectory(session, { ...plain, ...request }, { root, pool }, opts)),
  });
}

/** Names, types, modes, sizes, times and link targets of everything below `dir`. */
function listing(dir: string): string {
  return execFileSync("find", [".", "-mindepth", "1", "-printf", "%P %y %m %n %T@ %l %s\n"], { cwd: dir, encoding: "utf8" })
    .split("\n")
    .map((line) => line.replace(/^(\S+ d .*) \d+$/, "$1"))
    .sort()
    .join("\n");
}

function fill(from: string): void {
  mkdirSync(path.join(from, "a/b/c"), { recursive: true });
  writeFileSync(path.join(from, "a/b/c/file"), "deep");
  writeFileSync(path.join(from, "a.txt"), "text");
  writeFileSync(path.join(from, "empty"), "");
  writeFileSync(path.join(from, "größe ☃"), "umlaut");
  writeFileSync(path.join(from, "large"), Buffer.alloc(3_000_000, "0123456789"));
  writeFileSync(path.join(from, "run.sh"), "#!/bin/sh");
  chmodSync(path.join(from, "run.sh"), 0o4755);
  symlinkSync("../elsewhere", path.join(from, "a/link"));
  symlinkSync("a", path.join(from, "dirlink"));
  linkSync(path.join(from, "large"), path.join(from, "z-hard"));
  execFileSync("mkfifo", [path.join(from, "fifo")]);
  chmodSync(path.join(from, "a/b"), 0o1777);
  lutimes(path.join(from, "a/b"), 0n, 1_234_567_890_123_456_789n);
  lutimes(path.join(from, "a.txt"), 0n, -5_000_000_001n);
}

test("syncDirectory() brings every kind of file with mode, time and links", async () => {
  await withPlace(async ({ from, sync }) => {
    fill(from);
    using got = await sync(sendsDirectory(from).offers);
    assert.equal(listing(got.path), listing(from));
    assert.equal(readFileSync(path.join(got.path, "large"), "utf8"), readFileSync(path.join(from, "large"), "utf8"));
    assert.equal(readFileSync(path.join(got.path, "größe ☃"), "utf8"), "umlaut");
    assert.equal(lstatSync(path.join(got.path, "large")).ino, lstatSync(path.join(got.path, "z-hard")).ino);
    assert.equal(lstatSync(got.path).uid, 0);
    assert.equal(got.received, 3_000_000 + 4 + 4 + 6 + 9);
  });
});

test("syncDirectory() asks a second time only for what has changed, and removes what is gone", async () => {
  await withPlace(async ({ from, sync }) => {
    fill(from);
    (await sync(sendsDirectory(from).offers))[Symbol.dispose]();
    const same = sendsDirectory(from);
    using unchanged = await sync(same.offers);
    assert.deepEqual(same.requested, []);
    assert.equal(unchanged.received, 0);
    const inode = lstatSync(path.join(unchanged.path, "a.txt")).ino;
    unchanged[Symbol.dispose]();

    writeFileSync(path.join(from, "a/b/c/file"), "other");
    rmSync(path.join(from, "run.sh"));
    rmSync(path.join(from, "a/link"));
    mkdirSync(path.join(from, "a/link"));
    writeFileSync(path.join(from, "a/link/inside"), "x");
    chmodSync(path.join(from, "empty"), 0o600);
    const changed = sendsDirectory(from);
    using got = await sync(changed.offers);
    assert.deepEqual([...changed.requested].sort(), ["a/b/c/file", "a/link/inside", "empty"]);
    assert.equal(listing(got.path), listing(from));
    assert.equal(lstatSync(path.join(got.path, "a.txt")).ino, inode);
  });
});

test("syncDirectory() makes a directory a link, and removes nothing behind it", async () => {
  await withPlace(async ({ from, root, sync }) => {
    const outside = path.join(root, "outside");
    mkdirSync(outside);
    writeFileSync(path.join(outside, "x"), "precious");
    mkdirSync(path.join(from, "dir"));
    writeFileSync(path.join(from, "dir/x"), "");
    (await sync(sendsDirectory(from).offers))[Symbol.dispose]();
    rmSync(path.join(from, "dir"), { recursive: true });
    symlinkSync(outside, path.join(from, "dir"));
    using got = await sync(sendsDirectory(from).offers);
    assert.equal(readlinkSync(path.join(got.path, "dir")), outside);
    assert.equal(readFileSync(path.join(outside, "x"), "utf8"), "precious");
  });
});

test("syncDirectory() keeps further names right when the first one changes or goes", async () => {
  await withPlace(async ({ from, sync }) => {
    writeFileSync(path.join(from, "a"), "one");
    linkSync(path.join(from, "a"), path.join(from, "b"));
    linkSync(path.join(from, "a"), path.join(from, "c"));
    (await sync(sendsDirectory(from).offers))[Symbol.dispose]();
    writeFileSync(path.join(from, "a"), "two");
    const changed = await sync(sendsDirectory(from).offers);
    assert.equal(listing(changed.path), listing(from));
    assert.equal(readFileSync(path.join(changed.path, "c"), "utf8"), "two");
    changed[Symbol.dispose]();
    rmSync(path.join(from, "a"));
    using got = await sync(sendsDirectory(from).offers);
    assert.equal(listing(got.path), listing(from));
    assert.equal(readFileSync(path.join(got.path, "c"), "utf8"), "two");
  });
});

test("syncDirectory() fetches every file when nothing is compared", async () => {
  await withPlace(async ({ from, sync }) => {
    writeFileSync(path.join(from, "Dockerfile"), "FROM scratch");
    (await sync(sendsDirectory(from).offers))[Symbol.dispose]();
    const again = sendsDirectory(from);
    using got = await sync(again.offers, { differ: "none" });
    assert.deepEqual(again.requested, ["Dockerfile"]);
    assert.equal(readFileSync(path.join(got.path, "Dockerfile"), "utf8"), "FROM scratch");
  });
});

test("syncDirectory() sends filters as headers, encoded when they are not ASCII", async () => {
  await withPlace(async ({ from, sync }) => {
    const sent = sendsDirectory(from);
    using _ = await sync(sent.offers, { exclude: ["ä b", "!c"], include: ["d"], followPaths: ["e"] });
    const { "dir-name": name, "exclude-patterns": exclude, "exclude-patterns-encoded": encoded, "include-patterns": include, followpaths } = sent.headers;
    assert.deepEqual([name, exclude, encoded, include, followpaths], ["context", "%C3%A4%20b, !c", "1", "d", "e"]);
  });
});

test("syncDirectory() gives a second build of the same key a copy of its own", async () => {
  await withPlace(async ({ from, sync }) => {
    writeFileSync(path.join(from, "f"), "1");
    using first = await sync(sendsDirectory(from).offers);
    writeFileSync(path.join(from, "f"), "22");
    using second = await sync(sendsDirectory(from).offers);
    assert.notEqual(first.path, second.path);
    assert.equal(readFileSync(path.join(first.path, "f"), "utf8"), "1");
    first[Symbol.dispose]();
    using third = await sync(sendsDirectory(from).offers);
    assert.equal(third.path, first.path);
    using other = await sync(sendsDirectory(from).offers, { sharedKeyHint: "other" });
    assert.notEqual(path.dirname(other.path), path.dirname(first.path));
  });
});

test("syncDirectory() refuses a client without the service, and tells why the client refuses", async () => {
  await withPlace(async ({ sync }) => {
    await assert.rejects(sync({}), (error) => hasCode(error, "unsupported"));
    const refuses = { [syncFiles.path]: () => Promise.reject(status(5, 'no access allowed to dir "context"')) };
    await assert.rejects(sync(refuses), (error) => hasCode(error, "not_found") && /no access allowed/.test(String(error)));
  });
});

test("syncDirectory() passes on what the client fails with", async () => {
  await withPlace(async ({ sync }) => {
    const fails: Offers = { [syncFiles.path]: (call) => send(call, { type: "error", data: Buffer.from("lstat x: input/output error") }) };
    await assert.rejects(sync(fails), (error) => hasCode(error, "unavailable") && /input\/output error/.test(String(error)));
  });
});

test("syncDirectory() stops when it is cancelled, and starts again from there", async () => {
  await withPlace(async ({ from, sync }) => {
    fill(from);
    const controller = new AbortController();
    const { offers } = sendsDirectory(from);
    const slow: Offers = {
      [syncFiles.path]: async (call) => {
        setTimeout(() => controller.abort(), 30);
        await send(call, { type: "stat", stat: { path: Buffer.from("x"), mode: 0o644, size: 5 } });
        await new Promise<void>((done) => call.on("cancelled", done));
      },
    };
    await assert.rejects(sync(slow, {}, { signal: controller.signal }), (error) => hasCode(error, "cancelled"));
    using got = await sync(offers);
    assert.equal(listing(got.path), listing(from));
  });
});

test("syncDirectory() fails when the client vanishes in the middle of a file", async () => {
  await withPlace(async ({ from, sync }) => {
    const vanishes: Offers = {
      [syncFiles.path]: async (call) => {
        await send(call, { type: "stat", stat: { path: Buffer.from("x"), mode: 0o644, size: 50, mtimeNs: 5n } });
        await send(call, { type: "stat" });
        await send(call, { type: "data", id: 0, data: Buffer.from("half") });
        throw status(14, "gone");
      },
    };
    await assert.rejects(sync(vanishes), (error) => hasCode(error, "unavailable"));
    writeFileSync(path.join(from, "x"), "1");
    using got = await sync(sendsDirectory(from).offers);
    assert.equal(readFileSync(path.join(got.path, "x"), "utf8"), "1");
  });
});

const phases: readonly (readonly [string, readonly NewPacket[]])[] = [
  ["before the list", []],
  ["in the middle of the list", [{ type: "stat", stat: { path: Buffer.from("x"), mode: 0o644, size: 4 } }]],
  ["before a file", [{ type: "stat", stat: { path: Buffer.from("x"), mode: 0o644, size: 4 } }, { type: "stat" }]],
  ["in the middle of a file", [{ type: "stat", stat: { path: Buffer.from("x"), mode: 0o644, size: 4 } }, { type: "data", id: 0, data: Buffer.from("12") }]],
  ["instead of a goodbye", [{ type: "stat" }]],
];

for (const [when, packets] of phases) {
  test(`syncDirectory() holds nothing when the client vanishes ${when}`, async () => {
    await using dir = await tempDir();
    await using pool = createPool();
    let reached = () => {};
    const there = new Promise<void>((done) => (reached = done));
    const offers: Offers = {
      [syncFiles.path]: async (call) => {
        for (const one of packets) await send(call, one);
        reached();
        for await (const _ of messagesOf(call));
        await new Promise<void>((done) => call.once("cancelled", done));
      },
    };
    await withSession(offers, async (session, vanish) => {
      const syncing = syncDirectory(session, plain, { root: dir.path, pool }, {});
      void there.then(() => setTimeout(vanish, 20));
      await assert.rejects(syncing, (error) => hasCode(error, "unavailable"));
      assert.equal(session.closed.aborted, true);
    });
    assert.deepEqual(listLocalCopies(dir.path).map(({ inUse }) => inUse), [false]);
  });
}

const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
const file = (name: string, extra: object = {}): NewPacket => ({ type: "stat", stat: { path: Buffer.from(name), mode: 0o644, ...extra } });
const directory = (name: string): NewPacket => file(name, { mode: DIRECTORY + 0o755 });
const link = (name: string, to: string): NewPacket => file(name, { mode: SYMLINK + 0o777, linkname: Buffer.from(to) });
const end: NewPacket = { type: "stat" };

const lies: readonly (readonly [string, readonly NewPacket[], "path_escape" | "corrupt" | "invalid_argument" | "unavailable"])[] = [
  ["an absolute path", [file("/etc/passwd")], "path_escape"],
  ["a path that goes up", [file("../x")], "path_escape"],
  ["a path that goes up inside", [directory("a"), file("a/../../x")], "path_escape"],
  ["the directory itself", [file("")], "corrupt"],
  ["a dot", [file(".")], "corrupt"],
  ["an unclean path", [directory("a"), file("a//x")], "corrupt"],
  ["a trailing slash", [directory("a/")], "corrupt"],
  ["a NUL in a path", [file("a\0b")], "corrupt"],
  ["files out of order", [file("b"), file("a")], "corrupt"],
  ["a file twice", [file("a"), file("a")], "corrupt"],
  ["a file in a directory that was not sent", [file("a/b")], "corrupt"],
  ["a file in a directory that is over", [directory("a"), file("b"), file("a/x")], "corrupt"],
  ["a file behind a symbolic link", [link("a", "/tmp"), file("a/x")], "corrupt"],
  ["a file below a file", [file("a"), file("a/x")], "corrupt"],
  ["a directory instead of a link of the same name", [link("a", "/tmp"), directory("a"), file("a/x")], "corrupt"],
  ["a hard link to a file that was not sent", [file("b", { linkname: Buffer.from("a") })], "corrupt"],
  ["a hard link to outside", [file("b", { linkname: Buffer.from("../../../etc/passwd") })], "corrupt"],
  ["a hard link to a directory", [directory("a"), file("b", { linkname: Buffer.from("a") })], "corrupt"],
  ["a hard link to a symbolic link", [link("a", "/etc/passwd"), file("b", { linkname: Buffer.from("a") })], "corrupt"],
  ["a symbolic link to nowhere", [link("a", "")], "invalid_argument"],
  ["a socket", [file("a", { mode: 2 ** 24 + 0o644 })], "invalid_argument"],
  ["a mode of two types", [file("a", { mode: DIRECTORY + SYMLINK })], "invalid_argument"],
  ["a negative size", [file("a", { size: -1 })], "corrupt"],
  ["an owner out of range", [file("a", { uid: 2 ** 40 })], "corrupt"],
  ["data that nobody asked for", [file("a"), { type: "data", id: 7, data: Buffer.from("x") }], "corrupt"],
  ["data of a directory", [directory("a"), { type: "data", id: 0, data: Buffer.from("x") }], "corrupt"],
  ["data after the end of a file", [file("a"), { type: "data", id: 0 }, { type: "data", id: 0, data: Buffer.from("x") }], "corrupt"],
  ["a file after the end of the list", [end, file("a")], "corrupt"],
  ["two ends of the list", [file("a"), end, end], "corrupt"],
  ["an early goodbye", [file("a", { size: 1 }), end, { type: "finish" }], "corrupt"],
  ["a request", [{ type: "request", id: 0 }], "corrupt"],
  ["fewer bytes than a file has", [file("a", { size: 3 }), { type: "data", id: 0, data: Buffer.from("x") }, { type: "data", id: 0 }], "unavailable"],
  ["no byte of a file that it cannot open", [file("a", { size: 3 }), { type: "data", id: 0 }], "unavailable"],
  ["an end of everything", [], "corrupt"],
  ["an end after the list", [end], "corrupt"],
];

for (const [what, packets, code] of lies) {
  test(`syncDirectory() refuses ${what}`, async () => {
    await withPlace(async ({ root, sync }) => {
      const told: string[] = [];
      const liar: Offers = { [syncFiles.path]: (call) => lie(call, packets, told) };
      await assert.rejects(sync(liar), (error) => hasCode(error, code));
      assert.equal(existsSync(path.join(root, "x")), false);
    });
  });
}

async function lie(call: ClientCall, packets: readonly NewPacket[], told: string[]): Promise<void> {
  for (const one of packets) await send(call, one);
  if (packets.length === 0 || (packets.length === 1 && packets[0] === end)) return;
  for await (const bytes of messagesOf(call)) {
    const { type, data } = packet.decode(bytes);
    if (type === "error") told.push(Buffer.from(data).toString());
  }
}

test("syncDirectory() refuses names that no file can have here", async () => {
  await withPlace(async ({ sync }) => {
    const liar: Offers = { [syncFiles.path]: (call) => lie(call, [file("a".repeat(300)), { type: "data", id: 0 }, end], []) };
    await assert.rejects(sync(liar), (error) => hasCode(error, "unsupported") && /too long/.test(String(error)));
  });
});

test("syncDirectory() keeps names that are not UTF-8", async () => {
  await withPlace(async ({ sync }) => {
    const name = Buffer.from([0x66, 0xff, 0xfe]);
    const odd: Offers = {
      [syncFiles.path]: async (call) => {
        await send(call, { type: "stat", stat: { path: name, mode: 0o644 } });
        await send(call, end);
        await send(call, { type: "data", id: 0 });
        for await (const bytes of messagesOf(call)) if (packet.decode(bytes).type === "finish") break;
        await send(call, { type: "finish" });
      },
    };
    using got = await sync(odd);
    assert.equal(existsSync(Buffer.concat([Buffer.from(`${got.path}/`), name])), true);
  });
});

test("syncDirectory() brings many files", async () => {
  await withPlace(async ({ from, sync }) => {
    for (let i = 0; i < 10; i++) {
      mkdirSync(path.join(from, `d${i}`));
      for (let j = 0; j < 50; j++) writeFileSync(path.join(from, `d${i}`, `f${j}`), `${i} ${j}`);
    }
    utimesSync(path.join(from, "d1"), 1, 1);
    const sent = sendsDirectory(from);
    using got = await sync(sent.offers);
    assert.equal(sent.requested.length, 500);
    assert.equal(listing(got.path), listing(from));
  });
});
