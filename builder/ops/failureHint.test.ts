import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { unlimited } from "../../solver/llb/op.js";
import type { ProcessResult, ProcessSpec } from "../executor/executor.js";
import { elfArchitecture } from "./elf.js";
import { failureHint } from "./failureHint.js";
import { processFailure } from "./processFailure.js";

const rootfs = mkdtempSync(path.join(tmpdir(), "tbuild-hint-"));
mkdirSync(path.join(rootfs, "bin"));
test.after(() => rmSync(rootfs, { recursive: true }));
writeFileSync(path.join(rootfs, "bin/bash-script"), "#!/bin/bash\necho\n");
writeFileSync(path.join(rootfs, "bin/crlf"), "#!/bin/sh\r\necho\r\n");
writeFileSync(path.join(rootfs, "bin/plain"), "echo\n");
writeFileSync(path.join(rootfs, "bin/riscv"), elf(243));

function elf(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write("\u007fELF\u0002\u0001\u0001", "latin1");
  header.writeUInt16LE(machine, 18);
  return header;
}

const spec: ProcessSpec = {
  id: "1",
  rootfs,
  readonlyRootfs: false,
  args: ["/bin/sh", "-c", "make"],
  env: ["PATH=/usr/bin:/bin"],
  cwd: "/",
  user: "",
  mounts: [],
  network: "default",
  security: "sandbox",
  terminal: false,
  hostname: "h",
  extraHosts: [],
  ulimits: [],
  cgroupParent: "",
  resources: null,
  devices: [],
};
const failed: ProcessResult = { exitCode: 1, signal: null, outOfMemory: false, startError: null };
const limited: ProcessSpec = { ...spec, resources: { ...unlimited, memory: 32 * 1024 * 1024 } };

const cases: readonly [string, Partial<ProcessSpec>, Partial<ProcessResult>, readonly string[], RegExp | null][] = [
  ["a plain failure", {}, {}, ["make: *** [all] Error 1"], null],
  ["a missing command in the shell", {}, { exitCode: 127 }, ["/bin/sh: gcc: not found"], /^"gcc" is not in the image or not on its PATH/],
  ["a missing command in bash", {}, { exitCode: 127 }, ["bash: line 1: gcc: command not found"], /^"gcc" is not in the image/],
  ["a missing path in the shell", {}, { exitCode: 127 }, ["/bin/sh: ./run.sh: not found"], /^The image has no "\.\/run\.sh"/],
  ["a missing interpreter", {}, { exitCode: 127 }, ["/bin/sh: /bin/bash-script: not found"], /is run by "\/bin\/bash", which the image does not have/],
  ["Windows line endings", {}, { exitCode: 127 }, ["/bin/sh: bin/crlf: not found"], /"\/bin\/crlf" has Windows line endings/],
  ["a script that may not be executed", {}, { exitCode: 126 }, ["/bin/sh: ./x.sh: Permission denied"], /^"\.\/x\.sh" is not an executable file .*--chmod=755/],
  ["no shell", {}, { exitCode: 127, startError: 'exec: "/bin/sh": stat /bin/sh: no such file or directory' }, [], /^The image has no \/bin\/sh: use the exec form/],
  ["a missing program", { args: ["nope"] }, { exitCode: 127, startError: 'exec: "nope": executable file not found in $PATH' }, [], /^"nope" is not in the image/],
  ["a missing interpreter in the exec form", { args: ["/bin/bash-script"] }, {}, ["exec /bin/bash-script: no such file or directory"], /is run by "\/bin\/bash"/],
  ["a program for another machine", { args: ["riscv"] }, {}, ["exec /bin/riscv: exec format error"], /is built for riscv64 and this machine is .*no binfmt handler/],
  ["a script without #!", { args: ["/bin/plain"] }, {}, ["exec /bin/plain: exec format error"], /neither a program nor a script/],
  ["memory without a limit", {}, { exitCode: 137, outOfMemory: true }, [], /machine has too little memory/],
  ["memory with a limit", limited, { exitCode: 137, outOfMemory: true }, [], /--resource memory/],
];

for (const [what, process, result, tail, hint] of cases) {
  test(`failureHint() of ${what}`, () => {
    const text = failureHint({ ...spec, ...process }, { ...failed, ...result }, tail);
    if (hint === null) assert.equal(text, null);
    else assert.match(text ?? "", hint);
  });
}

const endings: readonly [ProcessSpec, Partial<ProcessResult>, string][] = [
  [spec, { exitCode: 2 }, "exit code: 2"],
  [spec, { exitCode: 139, signal: "SIGSEGV" }, "exit code: 139 (SIGSEGV)"],
  [spec, { exitCode: 137, signal: "SIGKILL", outOfMemory: true }, "exit code: 137, out of memory"],
  [limited, { exitCode: 137, signal: "SIGKILL", outOfMemory: true }, "exit code: 137, out of memory (limit 32 MiB)"],
];

for (const [process, result, how] of endings) {
  test(`processFailure() says "${how}"`, () => {
    const error = processFailure(process, { ...failed, ...result }, { tail: ["last"], errors: [], logFile: "/logs/1" });
    assert.equal(error.message, `Process "/bin/sh -c make" did not complete successfully: ${how}`);
    assert.deepEqual([error.process?.logFile, error.process?.logTail], ["/logs/1", ["last"]]);
  });
}

test("processFailure() has the first line of a heredoc", () => {
  const error = processFailure({ ...spec, args: ["/bin/sh", "-c", "set -e\nmake\n"] }, failed, { tail: [], errors: [], logFile: null });
  assert.match(error.message, /^Process "\/bin\/sh -c set -e …" did/);
});

test("elfArchitecture() reads the machine of ELF files of both byte orders", () => {
  assert.equal(elfArchitecture(elf(62)), "amd64");
  const big = elf(0);
  big[5] = 2;
  big.writeUInt16BE(22, 18);
  assert.equal(elfArchitecture(big), "s390x");
  assert.equal(elfArchitecture(Buffer.from("#!/bin/sh\n")), null);
});
