import assert from "node:assert/strict";
import test from "node:test";
import { detectSyntax, readDirectives } from "./directives.js";
import { physicalLines } from "./linesPhysical.js";

function read(text: string) {
  const { values, escape, next, mistakes } = readDirectives(physicalLines(text), "Dockerfile");
  const shown = [...values].map(([key, { value }]) => `${key}=${value}`);
  return { values: shown, escape, next, mistakes: mistakes.map(({ message }) => message) };
}

const rows: readonly [string, readonly string[], string, number][] = [
  ["FROM x", [], "\\", 0],
  ["# syntax=docker/dockerfile:1\nFROM x", ["syntax=docker/dockerfile:1"], "\\", 1],
  ["#syntax = a  b \n#ESCAPE=`\n# check=skip=all\n", ["syntax=a  b", "escape=`", "check=skip=all"], "`", 3],
  ["# comment\n# escape=`", [], "\\", 0],
  ["\n# escape=`", [], "\\", 0],
  ["# unknown=1\n# escape=`", [], "\\", 0],
  ["# escape=\n", [], "\\", 0],
  ["  # escape=`\r\nFROM x", ["escape=`"], "`", 1],
  ["#!/usr/bin/env tbuild\n# syntax=a\n# escape=`\n", ["syntax=a", "escape=`"], "\\", 3],
];

for (const [text, values, escape, next] of rows) {
  test(`readDirectives(${JSON.stringify(text)})`, () => assert.deepEqual(read(text), { values, escape, next, mistakes: [] }));
}

test("readDirectives() refuses duplicates and other escape characters", () => {
  assert.deepEqual(read("# syntax=a\n# SYNTAX=b\n# escape=x\nFROM y").mistakes, [
    'Cannot use parser directive "syntax" twice',
    'Cannot use "x" as escape character',
  ]);
});

const syntaxes: readonly [string, string | null, string | null][] = [
  ["# syntax = dockerfile:experimental // opts\nFROM busybox\n", "dockerfile:experimental", "dockerfile:experimental // opts"],
  ["#!/bin/sh\n# syntax=a\n", "a", "a"],
  ["#!/bin/sh\n\n# syntax=a\n", null, null],
  ["FROM busybox\nRUN ls\n", null, null],
  ["//syntax=foo\n//key=value", "foo", "foo"],
  ["#!/bin/sh\n//syntax=x", "x", "x"],
  ['{"syntax": "foo", "bar": ["abc"]}', "foo", "foo"],
  ['{"syntax": "foo"', null, null],
  ['{"syntax": "foo"}\n# syntax=bar', null, null],
];

for (const [text, ref, cmdline] of syntaxes) {
  test(`detectSyntax(${JSON.stringify(text)})`, () => {
    const found = detectSyntax(text, "Dockerfile");
    assert.deepEqual([found?.ref ?? null, found?.cmdline ?? null], [ref, cmdline]);
  });
}
