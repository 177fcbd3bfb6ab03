import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { parseMemory, parseResources, parseUlimit } from "./limits.js";

const isUsage = (error: unknown) => isTbuildError(error) && error.code === "usage";

test("parseUlimit() takes one number for both limits, or two", () => {
  assert.deepEqual(parseUlimit("nofile=1024"), { name: "nofile", soft: 1024, hard: 1024 });
  assert.deepEqual(parseUlimit("nofile=1024:2048"), { name: "nofile", soft: 1024, hard: 2048 });
  assert.deepEqual(parseUlimit("core=-1"), { name: "core", soft: -1, hard: -1 });
});

for (const text of ["nofile", "nofile=x", "nofiles=1", "nofile=3:2", "nofile=-1:5"]) {
  test(`parseUlimit() refuses "${text}"`, () => assert.throws(() => parseUlimit(text), isUsage));
}

test("parseMemory() reads units, and names the option that has none", () => {
  assert.equal(parseMemory("64m", "--shm-size"), 64 * 2 ** 20);
  assert.throws(() => parseMemory("lots", "--shm-size"), (error) => isTbuildError(error) && error.message.includes('"lots" for --shm-size'));
});

test("parseResources() reads every limit", () => {
  const all = [["memory", "1g"], ["memory-swap", "-1"], ["cpu-shares", "512"], ["cpu-period", "100000"], ["cpu-quota", "50000"], ["cpuset-cpus", "0-1"], ["cpuset-mems", "0"]] as const;
  const limits = { memory: 2 ** 30, memorySwap: -1, cpuShares: 512, cpuPeriod: 100000, cpuQuota: 50000, cpusetCpus: "0-1", cpusetMems: "0" };
  assert.deepEqual(parseResources(all), limits);
  assert.equal(parseResources([]), undefined);
});

for (const [name, value] of [["memoy", "1g"], ["memory", "x"], ["cpu-shares", "-1"], ["cpuset-cpus", "a"]] as const) {
  test(`parseResources() refuses ${name}=${value}`, () => assert.throws(() => parseResources([[name, value]]), isUsage));
}
