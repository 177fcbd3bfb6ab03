import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { formatPlatform, hostPlatform } from "../../cache/oci/platform.js";
import { runnablePlatforms } from "./emulated.js";

const handler = (flags: string, magic: string, state = "enabled") => `${state}\ninterpreter /usr/bin/qemu\nflags: ${flags}\noffset 0\nmagic ${magic}\nmask ff\n`;

test("runnablePlatforms() adds what a handler runs that works in any root", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "binfmt-"));
  const files = {
    register: "",
    status: "enabled",
    "qemu-riscv64": handler("POF", "7f454c460201010000000000000000000200f300"),
    "qemu-s390x": handler("F", "7f454c4602020100000000000000000000020016"),
    "qemu-arm": handler("F", "7f454c4601010100000000000000000002002800"),
    "qemu-mips64": handler("PO", "7f454c4602020100000000000000000000020008"),
    "qemu-ppc64le": handler("F", "7f454c4602010100000000000000000002001500", "disabled"),
    python: handler("F", "0d0a"),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
  const [host, ...others] = runnablePlatforms(dir).map(formatPlatform);
  assert.equal(host, formatPlatform(hostPlatform()));
  assert.deepEqual(others, ["linux/arm/v7", "linux/arm/v6", "linux/riscv64", "linux/s390x"]);
  rmSync(dir, { recursive: true });
  assert.deepEqual(runnablePlatforms(dir), [hostPlatform()]);
});
