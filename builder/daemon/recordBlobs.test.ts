import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { memoryMeta } from "../../cache/snapshot/memoryMeta.js";
import { testRecord } from "../history/testRecord.js";
import { withoutRecordBlobs } from "./recordBlobs.js";

test("withoutRecordBlobs() leaves out the logs of builds", async () => {
  const meta = memoryMeta();
  const logs = { mediaType: "x", digest: digestOf("logs"), size: 4 };
  await meta.builds.put("r", testRecord("r", { logs }));
  const records = [{ id: `blob:${logs.digest}` }, { id: `blob:${digestOf("layer")}` }, { id: "snapshot:s" }];
  assert.deepEqual(withoutRecordBlobs({ meta }, records), records.slice(1));
});
