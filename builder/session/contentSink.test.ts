import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { digestOf, hexOf } from "../../cache/oci/digest.js";
import { clientBlobs } from "../../fixtures/clientBlobs.js";
import { withSession } from "../../fixtures/testSession.js";
import { clientContent } from "./content.js";
import { contentSink } from "./contentSink.js";

test("contentSink() writes the blobs of a layout, and nothing else", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-sink-"));
  try {
    const big = Buffer.alloc(2_500_000, "abc");
    writeFileSync(path.join(dir, "big"), big);
    const small = Buffer.from("small");
    const { offers, blobs, stores } = clientBlobs();
    await withSession(offers, async (session) => {
      const sink = contentSink(clientContent(session, "export"), {});
      await sink.directory("blobs/sha256/");
      await sink.file(`blobs/sha256/${hexOf(digestOf(small))}`, small);
      await sink.file(`blobs/sha256/${hexOf(digestOf(big))}`, { path: path.join(dir, "big"), size: big.length });
      await sink.file("index.json", Buffer.from("{}"));
    });
    assert.deepEqual([...blobs.keys()].sort(), [digestOf(small), digestOf(big)].sort());
    assert.ok(blobs.get(digestOf(big))!.equals(big));
    assert.deepEqual([...stores], ["export"]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
