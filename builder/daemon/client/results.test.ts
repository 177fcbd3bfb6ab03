import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform, parsePlatform } from "../../../cache/oci/platform.js";
import { refTable } from "./refTable.js";
import { plansOf } from "./results.js";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const result = { refDeprecated: "", refsDeprecated: null, ref: null, refs: null, metadata: {}, attestations: {} };

test("plansOf() has platforms in the order in which the frontend lists them, whatever that of its references", () => {
  const names = ["windows(1.2.3)/amd64", "linux/arm64"];
  const Platforms = names.map((ID) => ({ ID, Platform: parsePlatform(ID) }));
  const refs = { refs: Object.fromEntries([...names].reverse().map((name) => [name, { id: "", def: null }])) };
  const { plans, root } = plansOf({ ...result, refs, metadata: { "refs.platforms": json({ Platforms }) } }, refTable());
  assert.equal(root, "index");
  assert.deepEqual(plans.map(({ platform }) => formatPlatform(platform)), names);
});

test("plansOf() takes the platform of a single image from its config", () => {
  const config = { os: "windows", architecture: "amd64", "os.version": "1.2.3", rootfs: { type: "layers", diff_ids: [] } };
  const { plans } = plansOf({ ...result, ref: { id: "", def: null }, metadata: { "containerimage.config": json(config) } }, refTable());
  assert.deepEqual(plans.map(({ platform, image }) => [formatPlatform(platform), image["os.version"]]), [["windows(1.2.3)/amd64", "1.2.3"]]);
});
