import assert from "node:assert/strict";
import { test } from "node:test";
import { TbuildError } from "../../cache/errors.js";
import { capsOf, checkCaps } from "./builderCaps.js";

const caps = (...ids: readonly string[]) => capsOf({ frontendApiCaps: ids.map((id) => ({ id, enabled: id !== "exec.mount.ssh" })), llbCaps: [] } as unknown as Parameters<typeof capsOf>[0]);

test("checkCaps() names what a request needs and a builder lacks, and the option that asks for it", () => {
  const old = caps("solve.base", "return", "exec.mount.ssh");
  assert.doesNotThrow(() => checkCaps(old, { context: "." }, 1, "tcp://old"));
  for (const [request, exporters, message] of [
    [{ context: ".", secrets: [{ id: "a", from: { kind: "value", value: "" } }] }, 1, 'Cannot build on "tcp://old": --secret needs "exec.mount.secret", which the builder lacks'],
    [{ context: ".", ssh: [{ id: "default" }] }, 1, 'Cannot build on "tcp://old": --ssh needs "exec.mount.ssh", which the builder lacks'],
    [{ context: "." }, 2, 'Cannot build on "tcp://old": several outputs needs "exporter.multiple", which the builder lacks'],
    [{ context: ".", lock: { mode: "require" } }, 1, 'Cannot build on "tcp://old": --locked needs "source.policy", which the builder lacks'],
    [{ context: ".", lock: { mode: "record" } }, 1, 'Cannot build on "tcp://old": --lock needs "source.policy.session", which the builder lacks'],
  ] as const) {
    assert.throws(() => checkCaps(old, request as unknown as Parameters<typeof checkCaps>[1], exporters, "tcp://old"), (error) => {
      assert.ok(error instanceof TbuildError && error.hint !== undefined);
      assert.equal(error.message, message);
      return true;
    });
  }
});
