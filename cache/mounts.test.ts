import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { mountsBelow, unmountBelow } from "./mounts.js";
import { bindMount } from "./sys/mount.js";
import { tempDir } from "./testing/tempDir.js";

const skip = process.getuid?.() === 0 ? false : "needs root to mount";

test("unmountBelow() takes nested and stacked mounts with odd names, and nothing beside the directory", { skip }, async () => {
  await using dir = await tempDir();
  const at = (...names: string[]) => path.join(dir.path, ...names);
  for (const name of ["source/sub dir\n", "scratch/é", "scratch-2"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("source/file"), "");
  bindMount(at("source"), at("scratch-2"), "writable");
  try {
    bindMount(at("source"), at("scratch/é"), "writable");
    bindMount(at("source"), at("scratch/é"), "readonly");
    bindMount(at("source"), at("scratch/é/sub dir\n"), "writable");
    assert.equal(mountsBelow(at("scratch")).length, 3);
    unmountBelow(at("scratch"));
    assert.equal(mountsBelow(at("scratch")).length, 0);
    assert.equal(existsSync(at("scratch-2/file")), true);
  } finally {
    unmountBelow(dir.path);
  }
});
