import assert from "node:assert/strict";
import test from "node:test";
import type { TbuildError } from "../../../cache/errors.js";
import type { Warning } from "../../../solver/progress.js";
import { parseDockerfile } from "../parse.js";
import { applyCheck, checkOptions, defaultCheck, parseCheck, refuseViolations } from "./options.js";

function warning(rule: string | null, line: number | null): Warning {
  const at = line === null ? null : { file: "f", start: { line, column: 1 }, end: { line, column: 2 } };
  return { rule, message: "m", detail: "", url: null, at };
}

const left = (options: Parameters<typeof applyCheck>[0], warnings: readonly Warning[]) =>
  applyCheck(options, warnings).map(({ rule, at }) => `${rule}${at === null ? "" : `@${at.start.line}`}`);

test("parseCheck() reads rules to skip, experimental ones and whether violations are errors", () => {
  const set = (...names: readonly string[]) => new Set(names);
  assert.deepEqual(parseCheck(""), defaultCheck);
  assert.deepEqual(parseCheck(" skip = A , B ;error= True"), { ...defaultCheck, skip: set("A", "B"), failing: true });
  assert.deepEqual(parseCheck("skip=all;experimental=C"), { ...defaultCheck, skip: "all", experimental: set("C") });
  assert.deepEqual(parseCheck("experimental=all;error=0"), { ...defaultCheck, experimental: "all" });
});

for (const [value, part] of [["skipp=A", "skipp=A"], ["skip", "skip"], ["error=yes", "error=yes"], ["skip=A;;", ""]] as const) {
  test(`parseCheck(${JSON.stringify(value)}) says what it cannot read`, () => {
    assert.equal(parseCheck(value), `Cannot read check option "${part}"`);
  });
}

test("applyCheck() drops skipped rules but nothing that is no rule, and keeps experimental ones for who asks", () => {
  const found = [warning("A", 1), warning("B", 2), warning("InvalidDefinitionDescription", 3), warning(null, null)];
  assert.deepEqual(left(defaultCheck, found), ["A@1", "B@2", "null"]);
  assert.deepEqual(left({ ...defaultCheck, skip: new Set(["A"]) }, found), ["B@2", "null"]);
  assert.deepEqual(left({ ...defaultCheck, skip: "all", experimental: "all" }, found), ["InvalidDefinitionDescription@3", "null"]);
});

test("checkOptions() takes comments above an instruction for its lines only", () => {
  const parsed = parseDockerfile("FROM scratch\n# check=skip=A\nENV a=1 \\\n  b=2\nENV c=3\n", "f");
  const check = checkOptions(parsed, new Map());
  const found = [warning("A", 1), warning("A", 3), warning("A", 4), warning("B", 3), warning("A", 5), warning("A", null)];
  assert.deepEqual(left(check, found), ["A@1", "B@3", "A@5", "A"]);
});

test("refuseViolations() fails with all violations at once, and only when asked to", () => {
  const found = [warning("B", 2), warning(null, null), warning("A", 1)];
  refuseViolations(defaultCheck, found);
  refuseViolations({ ...defaultCheck, failing: true }, [warning(null, null)]);
  assert.throws(() => refuseViolations({ ...defaultCheck, failing: true }, found), (error: TbuildError) => {
    assert.equal(error.at?.start.line, 1);
    assert.equal(error.others.length, 1);
    return true;
  });
});
