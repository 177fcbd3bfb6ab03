// The process of recovery.test.ts that is killed: node recoveryPeer.js ROOT. Sends "ready" once it holds one of everything.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mountTree } from "./snapshot/mountTree.js";
import { openStore } from "./store.js";
import { commitFile, keyParts } from "./testing/store.js";
import { bindMount } from "./sys/mount.js";

const [root = ""] = process.argv.slice(2);
const store = await openStore({ root });
await commitFile(store, "kept", null);
await store.index.save(["key"], "canonical", [{ kind: "snapshot", name: "kept" }], keyParts("step"));
const rootfs = path.join(store.scratch, "rootfs");
await mountTree(await store.snapshots.prepare("active", "kept"), rootfs);
writeFileSync(path.join(root, "outside"), "still here");
mkdirSync(path.join(rootfs, "a b"));
bindMount(root, path.join(rootfs, "a b"), "writable");
const ingest = await store.content.ingest("unfinished");
await ingest.write(Buffer.from("half"));
process.send?.("ready");
setInterval(() => {}, 1000);
