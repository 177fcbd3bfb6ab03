import assert from "node:assert/strict";
import { test } from "node:test";
import { rlimitError, specJson, specRlimits } from "./rlimits.js";

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 20000                files
`;

test("specJson() writes unlimited as the kernel's number, and no other text", () => {
  const rlimits = specRlimits([{ name: "core", soft: 0, hard: -1 }]);
  assert.equal(specJson({ rlimits, env: ['"hard":"infinity"', "infinity"] }), String.raw`{"rlimits":[{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}],"env":["\"hard\":\"infinity\"","infinity"]}`);
});

test("rlimitError() names the limit and what is allowed", () => {
  const message = "error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted";
  const error = rlimitError(message, [{ name: "nofile", soft: 30000, hard: 30000 }], limits);
  assert.equal(error?.message, 'Cannot set the ulimit "nofile" to 30000: tbuild itself may use 20000');
  assert.match(error?.hint ?? "", /--ulimit nofile=20000/);
});

test("rlimitError() is null for other errors", () => {
  assert.equal(rlimitError("exec format error", [{ name: "nofile", soft: 1, hard: 1 }], limits), null);
});
