import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanPath, destPath, rootedPath } from "./contextPaths.js";

test("cleanPath() gives Go's shortest form", () => {
  const cases = { "": ".", "a/": "a", "/": "/", "a/../..": "..", "/..": "/", "a//b/.": "a/b" };
  for (const [path, expected] of Object.entries(cases)) assert.equal(cleanPath(path), expected, path);
});

test("rootedPath() does not leave the root", () => {
  const cases = { "../../x": "/x", "": "/", ".": "/", "/a/../../b": "/b", "*.txt": "/*.txt" };
  for (const [path, expected] of Object.entries(cases)) assert.equal(rootedPath(path), expected, path);
});

test("destPath() joins with the working directory and keeps what says directory", () => {
  const relative = { "": "/w/", ".": "/w/", "./": "/w/", x: "/w/x", "x/": "/w/x/", "x/.": "/w/x/.", "..": "/" };
  const cases = { ...relative, "/": "/", "/a/": "/a/", "/.": "/." };
  for (const [path, expected] of Object.entries(cases)) assert.equal(destPath("/w", path), expected, path);
});
