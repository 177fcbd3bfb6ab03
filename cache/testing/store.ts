import { writeFileSync } from "node:fs";
import { type Digest, digestOf } from "../oci/digest.js";
import type { KeyParts } from "../meta/records.js";
import { mountTree } from "../snapshot/mountTree.js";
import { openStore, type Store, type StoreOptions } from "../store.js";
import { tempDir } from "./tempDir.js";

/** Runs `body` with a fresh store in a directory of its own. For tests. */
export async function withStore(body: (store: Store) => Promise<void>, options: Partial<StoreOptions> = {}): Promise<void> {
  await using dir = await tempDir();
  await using store = await openStore({ root: dir.path, ...options });
  await body(store);
}

/** Commits a snapshot that adds one file of `bytes` bytes to `parent`. For tests. */
export async function commitFile(store: Store, name: string, parent: string | null, bytes = 1000): Promise<void> {
  {
    await using tree = await mountTree(await store.snapshots.prepare(`${name}-key`, parent));
    writeFileSync(`${tree.path}/${name}`, Buffer.alloc(bytes, 1));
  }
  await store.snapshots.commit(name, `${name}-key`);
}

/** Writes a blob. For tests. */
export async function putBlob(store: Store, text: string): Promise<Digest> {
  await using ingest = await store.content.ingest(`${store.lease} ${text}`);
  await ingest.write(Buffer.from(text));
  return (await ingest.commit()).digest;
}

/** Key parts of a step. For tests. */
export function keyParts(name: string, attributes: Readonly<Record<string, string>> = {}): KeyParts {
  return { name, op: digestOf(name), attributes, inputs: [] };
}
