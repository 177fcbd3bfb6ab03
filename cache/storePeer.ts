// A process that builds and prunes for ever: node storePeer.js ROOT NAME. Sends "round" after each round, or what it found
// missing although it had a hit on it.
import { existsSync } from "node:fs";
import path from "node:path";
import { prune } from "./prune.js";
import { openStore, type Store } from "./store.js";
import { commitFile, keyParts, putBlob } from "./testing/store.js";

const [root = "", name = ""] = process.argv.slice(2);

async function round(store: Store, n: number): Promise<void> {
  const hit = await store.index.query(`key-${n % 5}`);
  const ref = hit?.outputs[0];
  const parent = ref?.kind === "snapshot" ? ref.name : null;
  const made = `${name}-${store.lease}-${n}`;
  await commitFile(store, made, parent);
  const digest = await putBlob(store, `${n % 3}`);
  await store.meta.layers.put(made, { diffId: digest, size: 1, empty: false, blobs: [] });
  await store.index.save([`key-${(n + 1) % 5}`], made, [{ kind: "snapshot", name: made }], keyParts("step"));
  if (n % 3 === 2) await prune(store);
  if (parent !== null) {
    const id = store.meta.snapshots.get(parent)?.id ?? "gone";
    check(existsSync(path.join(root, "snapshots", id, "fs")), parent);
  }
  check(existsSync(store.content.pathOf(digest)), digest);
}

function check(holds: boolean, what: string): void {
  if (!holds) process.send?.(`missing: ${what}`);
}

for (;;) {
  // A new store every few rounds, so that there are pins that end and things to prune.
  await using store = await openStore({ root });
  for (let n = 0; n < 6; n++) await round(store, n);
  process.send?.("round");
}
