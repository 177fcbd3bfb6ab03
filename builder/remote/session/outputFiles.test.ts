import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { duplexPair } from "node:stream";
import { after, test } from "node:test";
import { createPool } from "../../../cache/bulk/pool.js";
import { hasCode } from "../../../cache/errors.js";
import { tempDir } from "../../../cache/testing/tempDir.js";
import { sendFile } from "../../api/session.js";
import { type NewPacket, packet } from "../../api/sessionFiles.js";
import { toGoMode } from "../../session/goMode.js";
import type { RawCall } from "../../session/rawCall.js";
import { openTunnel, type Tunnel } from "../../session/tunnel.js";
import { fileReceiver, outputOffers, type OutputReceiver, treeReceiver } from "./outputFiles.js";
import { serveSession } from "./serveSession.js";

const dir = await tempDir();
const bulk = createPool();
after(async () => {
  await bulk[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

/** A builder that sends to these outputs. */
async function withBuilder(receivers: readonly OutputReceiver[], body: (tunnel: Tunnel) => Promise<void>): Promise<void> {
  const [near, far] = duplexPair();
  using _ = serveSession(near, outputOffers(new Map(receivers.entries())));
  using tunnel = openTunnel(far);
  await body(tunnel);
}

const open = (tunnel: Tunnel, id: number): RawCall => tunnel.call(sendFile.path, { metadata: { "buildkit-attachable-exporter-id": String(id) } });

/** Sends all, and settles with the error that the call came to, or null. */
async function sends(call: RawCall, messages: readonly Uint8Array[]): Promise<unknown> {
  await call.send(messages).catch(() => {});
  call.finish();
  try {
    for await (const _ of call.received);
    return null;
  } catch (error) {
    return error;
  }
}

const bytes = (text: string): Uint8Array => sendFile.request.encode({ data: Buffer.from(text) });

test("fileReceiver() makes the file when it is committed, once", async () => {
  const dest = path.join(dir.path, "new/file.tar");
  const { receive, commit } = fileReceiver(dest);
  await assert.rejects(commit(), (error) => hasCode(error, "corrupt"));
  await withBuilder([receive], async (tunnel) => {
    assert.equal(await sends(open(tunnel, 0), [bytes("one "), bytes("two")]), null);
    assert.equal(existsSync(dest), false);
    assert.ok(hasCode(await sends(open(tunnel, 0), [bytes("three")]), "invalid_argument"));
    assert.ok(hasCode(await sends(open(tunnel, 7), [bytes("four")]), "invalid_argument"));
    await commit();
    assert.equal(readFileSync(dest, "utf8"), "one two");
  });
});

for (const how of ["is complete", "breaks off"] as const) {
  test(`fileReceiver() leaves nothing of a file that ${how} before the build fails`, async () => {
    const at = path.join(dir.path, how);
    const { receive, abandon } = fileReceiver(path.join(at, "file.tar"));
    await withBuilder([receive], async (tunnel) => {
      const call = open(tunnel, 0);
      await call.send([bytes("half")]);
      while (!existsSync(at) || readdirSync(at).length === 0) await new Promise((done) => setTimeout(done, 5));
      if (how === "is complete") assert.equal(await sends(call, []), null);
      else call.cancel();
      await abandon();
      assert.deepEqual(readdirSync(at), []);
    });
  });
}

const FILE = toGoMode(0o100644);
const file = (name: string): NewPacket => ({ type: "stat", stat: { path: Buffer.from(name), mode: FILE } });
const end: NewPacket = { type: "stat" };

test("treeReceiver() takes a tree into a directory of its own", async () => {
  const trees = treeReceiver({ scratch: path.join(dir.path, "scratch"), bulk }, "one");
  await withBuilder([trees.receive], async (tunnel) => {
    const call = open(tunnel, 0);
    await call.send([{ type: "stat", stat: { path: Buffer.from("a"), mode: FILE, size: 2 } } as const, end].map((one) => packet.encode(one)));
    const asked: string[] = [];
    for await (const messages of call.received) {
      for (const message of messages) {
        const { type } = packet.decode(message);
        asked.push(type);
        if (type === "request") await call.send([packet.encode({ type: "data", id: 0, data: Buffer.from("hi") }), packet.encode({ type: "data", id: 0 })]);
        if (type === "finish") await call.send([packet.encode({ type: "finish" })]);
        if (type === "finish") call.finish();
      }
    }
    assert.deepEqual(asked, ["request", "finish"]);
  });
  assert.equal(readFileSync(path.join(trees.roots[0]!, "a"), "utf8"), "hi");
});

for (const [what, packets] of [
  ["a path that leads out", [file("../escaped"), end]],
  ["an absolute path", [file("/tmp/escaped"), end]],
  ["a file behind a link of its own", [{ type: "stat", stat: { path: Buffer.from("l"), mode: toGoMode(0o120777), linkname: Buffer.from("/") } }, file("l/escaped"), end]],
] as const satisfies readonly (readonly [string, readonly NewPacket[]])[]) {
  test(`treeReceiver() refuses ${what}`, async () => {
    const scratch = path.join(dir.path, `scratch-${what.length}`);
    mkdirSync(scratch);
    const trees = treeReceiver({ scratch, bulk }, "one");
    await withBuilder([trees.receive], async (tunnel) => {
      const error = await sends(open(tunnel, 0), packets.map((one) => packet.encode(one)));
      assert.ok(error !== null, "it was taken");
    });
    assert.equal(existsSync("/tmp/escaped") || existsSync("/escaped") || existsSync(path.join(scratch, "escaped")), false);
  });
}
