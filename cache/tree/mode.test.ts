import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { parseMode } from "./mode.js";
import { tempDir } from "./tempTree.fixture.js";

const texts = [
  "755", "0644", "u=rwX,go=rX", "a+x", "+x", "go-w", "go=", "g=u", "g=u-w", "u+s", "g+s", "+t", "u=rwx,g=rx,o=",
  "ug+rw", "-w", "o=g", "a=r", "u=g,g=o",
];

const files = [["file", 0o640], ["file", 0o751], ["file", 0o644], ["directory", 0o700], ["directory", 0o755]] as const;

test("parseMode() agrees with chmod(1) run with umask 0", () => {
  const dir = tempDir();
  for (const text of texts) {
    for (const [kind, mode] of files) {
      const at = `${dir}/${kind}`;
      fs.rmSync(at, { recursive: true, force: true });
      if (kind === "file") fs.writeFileSync(at, "");
      else fs.mkdirSync(at);
      fs.chmodSync(at, mode);
      const { status } = spawnSync("sh", ["-c", 'umask 0; chmod -- "$1" "$2"', "sh", text, at]);
      assert.equal(status, 0, text);
      const expected = (fs.statSync(at).mode & 0o7777).toString(8);
      assert.equal(parseMode(text)(mode, kind === "directory").toString(8), expected, `${text} ${kind} ${mode.toString(8)}`);
    }
  }
});

test("parseMode() looks for X at the mode before all clauses, as BSD and BuildKit do", () => {
  assert.equal(parseMode("=rw,+X")(0o751, false), 0o777);
  assert.equal(parseMode("=rw,+X")(0o640, false), 0o666);
  assert.equal(parseMode("u+x,g+X")(0o640, false), 0o740);
});

test("parseMode() refuses what is no mode", () => {
  for (const text of ["", "9", "10000", "u", "u=z", "rwx", "u=r,", "x+r"]) {
    assert.throws(() => parseMode(text), (e) => hasCode(e, "invalid_argument"), text);
  }
});
