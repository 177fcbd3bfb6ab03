import assert from "node:assert/strict";
import { test } from "node:test";
import { hostPlatform } from "../../../cache/oci/platform.js";
import type { Store } from "../../../cache/store.js";
import { messagesOf, type Offers } from "../../../fixtures/sessionClient.js";
import { base, withGraphs } from "../../../fixtures/testGraph.js";
import { withSession } from "../../../fixtures/testSession.js";
import { scratchImage } from "../../../frontend/dockerfile/configImage.js";
import { bytesMessage, sendFile } from "../../api/session.js";
import { packet, sendFiles } from "../../api/sessionFiles.js";
import { layerPreparer } from "../../image/prepare.js";
import type { SnapshotRef } from "../../ops/opDeps.js";
import { exec, output } from "../../../solver/llb/state.js";
import { clientExporter } from "./clientOutputs.js";

const platform = hostPlatform();

async function exported(store: Store, ref: SnapshotRef, type: string, offers: Offers, clampMtime: number | null = null): Promise<Readonly<Record<string, string>>> {
  const deps = { store, clampMtime, epochs: [clampMtime], shape: { platforms: [platform], root: "manifest" as const } };
  return await withSession(offers, async (session) => {
    const exporter = clientExporter({ type, attrs: {} }, 0, session, deps);
    const { signal } = new AbortController();
    await using layers = layerPreparer(store, exporter.needs, {});
    const report = { log() {}, warn() {}, status() {}, statusDone() {} };
    const platforms = [{ platform, image: scratchImage(platform), baseDiffIds: [], ref }];
    return (await exporter.export({ platforms, root: "manifest" }, { signal, report, layers })).metadata;
  });
}

test("clientExporter() tells the client what an archive is before it sends it", async () => {
  await withGraphs(async ({ store }) => {
    let told: Readonly<Record<string, unknown>> = {};
    let bytes = 0;
    const offers: Offers = {
      [sendFile.path]: async (call) => {
        told = call.metadata.getMap();
        for await (const message of messagesOf(call)) bytes += bytesMessage.decode(message).data.length;
      },
    };
    const metadata = await exported(store, { kind: "snapshot", name: null }, "oci", offers);
    assert.match(metadata["containerimage.digest"] ?? "", /^sha256:/);
    assert.equal(told["exporter-md-containerimage.digest"], metadata["containerimage.digest"]);
    assert.ok(bytes > 0);
  });
});

test("clientExporter() dates the files of a directory back to the build's time", async () => {
  await withGraphs(async ({ store, run }) => {
    const script = "cd /o && echo a > old && touch -d @5 old && echo b > new";
    const ref = await run(output(exec({ meta: { args: ["/bin/sh", "-c", script] }, mounts: [{ dest: "/", from: base }, { dest: "/o", keep: true }] })));
    assert.ok(ref.kind === "snapshot");
    const times = new Map<string, bigint>();
    const offers: Offers = {
      [sendFiles.path]: async (call) => {
        for await (const message of messagesOf(call)) {
          const { type, stat } = packet.decode(message);
          if (type === "finish") break;
          if (stat === null) call.write(Buffer.from(packet.encode({ type: "finish" })));
          else times.set(Buffer.from(stat.path).toString(), stat.mtimeNs);
        }
      },
    };
    await exported(store, ref, "local", offers, 1000);
    assert.deepEqual([times.get("old"), times.get("new")], [5_000_000_000n, 1_000_000_000_000n]);
  });
});
