import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { checkLocalDelete, LOCAL_DELETE } from "./localDelete.js";

const spec = (dest: string, mode = "delete") => [{ type: "local", attrs: { dest, mode } } as const];

test("checkLocalDelete() lets files be removed below the current directory only", () => {
  checkLocalDelete(spec("out"), []);
  checkLocalDelete(spec("a/../out/deep"), []);
  for (const dest of [".", "..", "../out", "/", path.dirname(process.cwd()), "out/.."]) {
    assert.throws(() => checkLocalDelete(spec(dest), ["network.host"]), { code: "permission_denied" }, dest);
    checkLocalDelete(spec(dest), [LOCAL_DELETE]);
    checkLocalDelete(spec(dest, "copy"), []);
  }
});

test("checkLocalDelete() refuses a mode that is none", () => {
  assert.throws(() => checkLocalDelete(spec("out", "remove"), []), { code: "invalid_argument", message: /"copy" or "delete"/ });
});
