import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../../cache/oci/digest.js";
import { testDaemon, type TestDaemon } from "../../../fixtures/testDaemon.js";
import { controlService } from "../../api/control.js";
import { gatewayService } from "../../api/gateway.js";
import { parseAddress } from "../address.js";
import { openEmptyBuild, type OpenBuild } from "../daemonBuild.js";

const openOneStep: OpenBuild = async (_request, job) => {
  const vertex = digestOf("step");
  job.report({ type: "vertex", vertex, name: "[1/1] RUN x", inputs: [], at: 1000 });
  job.report({ type: "completed", vertex, cached: true, error: null, at: 3000 });
  return await openEmptyBuild();
};

async function build({ client }: TestDaemon, ref: string): Promise<void> {
  const solved = client.unary(controlService, "Solve", { ref });
  await client.unary(gatewayService, "Return", {}, { "buildkit-controlapi-buildid": ref });
  await solved;
}

test("/metrics counts builds by how they ended, and their steps", async () => {
  await using peer = await testDaemon({ openBuild: openOneStep, debugAddress: parseAddress("tcp://127.0.0.1:0") });
  const { client } = peer;
  await build(peer, "a");
  const failed = client.unary(controlService, "Solve", { ref: "f" });
  failed.catch(() => {});
  await client.unary(gatewayService, "Return", { error: { code: 5, message: "no" } }, { "buildkit-controlapi-buildid": "f" });
  await assert.rejects(failed);
  const url = peer.daemon.debugAddress!.replace("tcp://", "http://");
  const response = await fetch(`${url}/metrics`);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n");
  for (const line of [
    'buildkit_builds_total{status="success"} 1',
    'buildkit_builds_total{error_code="NotFound",status="failure"} 1',
    'buildkit_builds_steps_total{kind="cached"} 2',
    'buildkit_build_duration_seconds_bucket{status="success",le="5"} 1',
    'buildkit_build_duration_seconds_count{status="failure"} 1',
    "tbuild_builds_running 0",
  ]) {
    assert.ok(lines.includes(line), `${line} in\n${lines.join("\n")}`);
  }
  assert.ok(lines.every((line) => line === "" || /^(?:# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{[^}]*\})? [-\d.e+]+)$/.test(line)), "the text format");
  assert.equal((await fetch(`${url}/other`)).status, 404);
  assert.equal((await fetch(`${url}/metrics`, { method: "POST" })).status, 405);
});
