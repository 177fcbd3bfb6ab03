import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { createPool } from "../../cache/bulk/pool.js";
import { hasCode } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { receivesDirectory } from "../../fixtures/fileReceiver.js";
import { send } from "../../fixtures/fileSender.js";
import { messagesOf, type Offers } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { type NewPacket, packet, sendFiles } from "../api/sessionFiles.js";
import { sendTrees } from "./sendTrees.js";

const pool = createPool();
const dir = await tempDir();
after(async () => {
  await pool[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

function tree(name: string, files: Readonly<Record<string, string>>): string {
  const root = path.join(dir.path, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return root;
}

const names = (stats: readonly { readonly path: Uint8Array }[]) => stats.map(({ path: name }) => Buffer.from(name).toString());

test("sendTrees() lists everything in order, and sends the files that the client asks for", async () => {
  const root = tree("plain", { "a/b": "1", "a.txt": "2", "größe": "ü", empty: "", large: "x".repeat(9_000_000), unwanted: "?" });
  symlinkSync("../out", path.join(root, "a/link"));
  linkSync(path.join(root, "large"), path.join(root, "z"));
  chmodSync(path.join(root, "a.txt"), 0o4750);
  const got = receivesDirectory(({ path: name }) => Buffer.from(name).toString() !== "unwanted");
  const progress: number[] = [];
  const request = { exporterId: 3, parts: [{ root, under: "" }], whole: false, onProgress: (bytes: number) => progress.push(bytes) };
  await withSession(got.offers, (session) => sendTrees(session, request, pool, {}));
  assert.deepEqual(names(got.stats), ["a", "a/b", "a/link", "a.txt", "empty", "größe", "large", "unwanted", "z"]);
  assert.deepEqual([...got.contents].map(([name, bytes]) => [name, bytes.length]).sort(), [["a.txt", 1], ["a/b", 1], ["empty", 0], ["größe", 2], ["large", 9_000_000]]);
  assert.equal(got.contents.get("large")?.toString(), "x".repeat(9_000_000));
  assert.deepEqual(names([{ path: got.stats.at(-1)!.linkname }]), ["large"]);
  assert.equal(got.stats[3]?.mode, 2 ** 23 + 0o750);
  assert.equal(got.headers["buildkit-attachable-exporter-id"], "3");
  assert.equal(got.headers["buildkit-exporter-multi-platform"], undefined);
  assert.equal(progress.at(-1), 9_000_004);
});

test("sendTrees() gives each part its directory, and says that it is all", async () => {
  const amd64 = tree("amd64", { "bin/x": "amd" });
  const arm64 = tree("arm64", { "bin/x": "arm" });
  const got = receivesDirectory();
  const parts = [{ root: arm64, under: "linux_arm64" }, { root: amd64, under: "linux_amd64" }];
  await withSession(got.offers, (session) => sendTrees(session, { exporterId: 0, parts, whole: true }, pool, {}));
  assert.deepEqual(names(got.stats), ["linux_amd64", "linux_amd64/bin", "linux_amd64/bin/x", "linux_arm64", "linux_arm64/bin", "linux_arm64/bin/x"]);
  assert.equal(got.contents.get("linux_arm64/bin/x")?.toString(), "arm");
  assert.equal(got.headers["buildkit-exporter-multi-platform"], "1");
});

test("sendTrees() merges parts of one place", async () => {
  const first = tree("first", { "a/1": "1", "a/both": "x" });
  const second = tree("second", { "a/2": "2", "a/both": "x" });
  const got = receivesDirectory();
  const parts = [first, second].map((root) => ({ root, under: "" }));
  await withSession(got.offers, (session) => sendTrees(session, { exporterId: 0, parts, whole: true }, pool, {}));
  assert.deepEqual(names(got.stats), ["a", "a/1", "a/2", "a/both"]);
  assert.deepEqual([...got.contents.keys()].sort(), ["a/1", "a/2", "a/both"]);
});

const lies: readonly (readonly [string, readonly NewPacket[], "corrupt" | "unavailable"])[] = [
  ["asks for a file that is none", [{ type: "request", id: 99 }], "corrupt"],
  ["asks for a directory", [{ type: "request", id: 0 }], "corrupt"],
  ["asks for a file twice", [{ type: "request", id: 1 }, { type: "request", id: 1 }], "corrupt"],
  ["sends a list of its own", [{ type: "stat" }], "corrupt"],
  ["fails", [{ type: "error", data: Buffer.from("disk full") }], "unavailable"],
  ["ends early", [], "corrupt"],
];

for (const [what, packets, code] of lies) {
  test(`sendTrees() fails when the client ${what}`, async () => {
    const root = tree("lies", { "a/b": "1" });
    const offers: Offers = {
      [sendFiles.path]: async (call) => {
        for (const one of packets) await send(call, one);
        if (packets.length > 0) for await (const bytes of messagesOf(call)) packet.decode(bytes);
      },
    };
    const request = { exporterId: 0, parts: [{ root, under: "" }], whole: false };
    await withSession(offers, async (session) => {
      await assert.rejects(sendTrees(session, request, pool, {}), (error) => hasCode(error, code));
    });
  });
}

test("sendTrees() stops when it is cancelled, and when the client vanishes", async () => {
  const root = tree("stuck", { a: "1" });
  const offers: Offers = { [sendFiles.path]: (call) => new Promise<void>((done) => call.on("cancelled", done)) };
  const request = { exporterId: 0, parts: [{ root, under: "" }], whole: false };
  await withSession(offers, async (session, vanish) => {
    const controller = new AbortController();
    const first = sendTrees(session, request, pool, { signal: controller.signal });
    const second = sendTrees(session, request, pool, {});
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(first, (error) => hasCode(error, "cancelled"));
    vanish();
    await assert.rejects(second, (error) => hasCode(error, "unavailable"));
  });
});
