import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { snapshotsOf } from "./index.js";
import { prune } from "./prune.js";
import { openStore, type Store } from "./store.js";
import { tempDir } from "./testing/tempDir.js";
import { diskUsage } from "./usage.js";

function startPeer(root: string, name: string): { child: ChildProcess; messages: string[] } {
  const child = fork(new URL("./storePeer.js", import.meta.url), [root, name]);
  const messages: string[] = [];
  child.on("message", (message) => messages.push(String(message)));
  return { child, messages };
}

async function stop(child: ChildProcess): Promise<number | null> {
  const early = child.exitCode;
  if (early === null && child.kill("SIGKILL")) await once(child, "exit");
  return early;
}

/** Nothing is named that is not there, and nothing is there that is not named. */
function assertConsistent(store: Store): void {
  const { meta, root } = store;
  const snapshots = new Map(meta.snapshots.entries());
  for (const [name, { kind, id, parent }] of snapshots) {
    assert.equal(kind, "committed", name);
    assert.ok(existsSync(path.join(root, "snapshots", id, "fs")), `directory of ${name}`);
    assert.ok(parent === null || snapshots.has(parent), `parent of ${name}`);
  }
  for (const [key, record] of meta.index.entries()) {
    for (const name of snapshotsOf(record)) assert.ok(snapshots.has(name), `${key} leads to ${name}`);
  }
  for (const [name] of meta.layers.entries()) assert.ok(snapshots.has(name), `layer of ${name}`);
  assert.equal(readdirSync(path.join(root, "snapshots")).length, snapshots.size);
  assert.deepEqual(readdirSync(path.join(root, "content", "ingest")), []);
}

test("processes that build and prune at once never lose what they use, and SIGKILL leaves a consistent store", async () => {
  await using dir = await tempDir();
  for (let kill = 0; kill < 3; kill++) {
    const peers = ["a", "b"].map((name) => startPeer(dir.path, name));
    while (peers.some(({ child, messages }) => messages.length < 1 + (kill % 2) && child.exitCode === null)) {
      await Promise.race(peers.flatMap(({ child }) => [once(child, "message"), once(child, "exit")]));
    }
    const statuses = await Promise.all(peers.map(({ child }) => stop(child)));
    assert.deepEqual(statuses, [null, null]);
    for (const { messages } of peers) assert.deepEqual(messages.filter((text) => text !== "round"), []);
    await using store = await openStore({ root: dir.path });
    assertConsistent(store);
  }
  await using store = await openStore({ root: dir.path });
  await prune(store);
  assert.deepEqual(await diskUsage(store), []);
});
