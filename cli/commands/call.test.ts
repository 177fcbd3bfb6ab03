import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { startTbuild } from "../../fixtures/tbuildProcess.js";
import { writeContext } from "../../fixtures/testBuilder.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-call-"));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const root = path.join(dir, "store");
// Nothing answers there: no question needs an answer.
const base = "127.0.0.1:9/base:1";
const ask = (context: string, ...words: readonly string[]) => startTbuild(["--root", root, ...words, context]).ended;

const clean = writeContext(path.join(dir, "clean"), { Dockerfile: `FROM ${base}\nRUN exit 1\nCMD ["a"]\n` });
const flawed = writeContext(path.join(dir, "flawed"), {
  Dockerfile: `# app what is shipped
FROM ${base} AS app
# MODE of the build
ARG MODE=fast
RUN --mount=type=secret,id=key,required true
CMD a b
`,
});
const broken = writeContext(path.join(dir, "broken"), { Dockerfile: "FROM scratch\nMAINTAINER me\nCOPY --chmod=9 a b\n" });
const strict = writeContext(path.join(dir, "strict"), { Dockerfile: "# check=error=true\nFROM scratch\nMAINTAINER me\n" });

test("tbuild --check says that nothing was found, and runs nothing", async () => {
  const { status, stdout, stderr } = await ask(clean, "--check");
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "Check complete, no warnings found.\n", stderr: "" });
});

test("tbuild --check shows each warning with its lines, and fails", async () => {
  const { status, stdout } = await ask(flawed, "--check");
  assert.equal(status, 1);
  assert.equal(
    stdout,
    `Check complete, 1 warning has been found!

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
Dockerfile:6
--------------------
  4 |     ARG MODE=fast
  5 |     RUN --mount=type=secret,id=key,required true
  6 | >>> CMD a b
--------------------
`,
  );
});

test("tbuild --call=check,ignorestatus succeeds whatever is found", async () => {
  const { status, stdout } = await ask(flawed, "--call=check,ignorestatus");
  assert.equal(status, 0);
  assert.match(stdout, /^Check complete, 1 warning has been found!\n/);
});

test("tbuild --check reports why the file would not build", async () => {
  const { status, stdout, stderr } = await ask(broken, "--check");
  assert.equal(status, 1);
  assert.match(stdout, /^Check complete, 1 warning has been found!\n\nWARNING: MaintainerDeprecated /);
  assert.match(stderr, /^\nERROR: Dockerfile:3:\d+: Cannot use "9" as --chmod/);
});

test("tbuild --call=check,format=json prints the result and a build error", async () => {
  const { status, stdout } = await ask(strict, "--call=check,format=json");
  assert.equal(status, 1);
  const result = JSON.parse(stdout) as { warnings: { ruleName: string }[]; buildError: { message: string } };
  assert.deepEqual(result.warnings.map(({ ruleName }) => ruleName), ["MaintainerDeprecated"]);
  assert.equal(result.buildError.message, "Cannot build: lint violation found for rules: MaintainerDeprecated");
});

test("tbuild --call=outline lists what the target takes", async () => {
  const { status, stdout } = await ask(flawed, "--call=outline", "--build-arg", "MODE=slow");
  assert.equal(status, 0);
  const expected = `TARGET:      app
DESCRIPTION: what is shipped

BUILD ARG   VALUE   DESCRIPTION
MODE        slow    of the build

SECRET   REQUIRED
key      true

`;
  assert.equal(stdout, expected);
});

test("tbuild --call=targets lists the stages", async () => {
  assert.equal((await ask(flawed, "--call=targets")).stdout, "TARGET        DESCRIPTION\napp (default) what is shipped\n");
  const json = JSON.parse((await ask(clean, "--call=targets,format=json")).stdout) as { targets: readonly object[] };
  assert.deepEqual(json.targets.map((target) => ({ ...target, location: null })), [{ default: true, base, location: null }]);
});

test("tbuild --call=subrequests.describe lists the questions", async () => {
  const { stdout } = await ask(clean, "--call=subrequests.describe");
  assert.match(stdout, /^NAME +VERSION DESCRIPTION\noutline +1\.0\.0 +List all parameters/);
  assert.match(stdout, /^lint +1\.0\.0 +Lint a Dockerfile$/m);
});

test("tbuild --call with an unknown question is a mistake of the command line", async () => {
  const { status, stderr } = await ask(clean, "--call=chek");
  assert.equal(status, 2);
  assert.match(stderr, /Cannot read --call "chek"\nhint: Did you mean "check"\?/);
});

test("tbuild lists what checks found once more at the end of a build, but for -q", async () => {
  const context = writeContext(path.join(dir, "warned"), { Dockerfile: "FROM scratch\nMAINTAINER me\n" });
  const plain = await ask(context, "--progress", "plain");
  assert.equal(plain.status, 0, plain.stderr);
  const summary = "\n1 warning:\n - MaintainerDeprecated: Dockerfile:2:1: Maintainer instruction is deprecated in favor of using label\n";
  assert.equal(plain.stderr.split(summary).length, 2, plain.stderr);
  const quiet = await ask(context, "-q");
  assert.deepEqual([quiet.status, quiet.stderr], [0, ""]);
});
