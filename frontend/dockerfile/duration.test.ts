import assert from "node:assert/strict";
import test from "node:test";
import { parseDuration } from "./duration.js";

const rows: readonly [string, number | null][] = [
  ["0", 0],
  ["+0", 0],
  ["5s", 5e9],
  ["1m30s", 9e10],
  ["1h2m3s4ms5us6ns", 3723004005006],
  ["1.5h", 5.4e12],
  [".5s", 5e8],
  ["1.s", 1e9],
  ["1µs", 1000],
  ["1μs", 1000],
  ["-2ms", -2e6],
  ["0.1ns", 0],
  ["0.100000000000000000000000000000001s", 1e8],
  ["2562047h", 2562047 * 3.6e12],
  ["2562048h", null],
  ["9".repeat(500), null],
  [`${"9".repeat(500)}s`, null],
  [`${"0".repeat(500)}1s`, 1e9],
  ["", null],
  ["-", null],
  ["3", null],
  [".s", null],
  ["1 s", null],
  ["1d", null],
  ["1s1", null],
  ["--1s", null],
];

for (const [text, expected] of rows) {
  test(`parseDuration("${text.slice(0, 40)}") is ${expected}`, () => assert.equal(parseDuration(text), expected));
}
