import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { mountFrom, parseMount } from "./mountOptions.js";

const at = () => ({ file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 1 } });
const parse = (word: string) => parseMount(word, at, (value) => value.replaceAll("$X", "x"));

test("parseMount() fills in what is not given", () => {
  const { kind, from, readonly, sharing, size, mode } = parse("target=/a");
  assert.deepEqual([kind, from, readonly, sharing, size, mode], ["bind", null, true, "shared", 0, null]);
});

test("parseMount() mounts caches and tmpfs for writing, others for reading, unless told", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["type=cache,target=/a", false],
    ["type=cache,target=/a,ro", true],
    ["type=tmpfs,target=/a", false],
    ["target=/a,rw", false],
    ["target=/a,rw=false", true],
    ["target=/a,readonly=0", false],
  ];
  for (const [word, readonly] of cases) assert.equal(parse(word).readonly, readonly, word);
});

test("parseMount() expands values, takes aliases and any case of keys, and quoted fields", () => {
  const { target, source, id, sharing } = parse('Type=CACHE,DST=/$X,src=s,"id=a,""b""",sharing=Locked');
  assert.deepEqual([target, source, id, sharing], ["/x", "s", 'a,"b"', "locked"]);
});

test("parseMount() reads sizes in units of 1024", () => {
  const cases = { 5: 5, "1k": 1024, "64m": 64 << 20, "1.5GiB": 1.5 * 2 ** 30, "2 kb": 2048 };
  for (const [text, size] of Object.entries(cases)) assert.equal(parse(`type=tmpfs,target=/a,size=${text}`).size, size, text);
});

test("parseMount() refuses what has no meaning", () => {
  const words = ["type=x", "targt=/a", "target", "type=bind,id=a", "type=tmpfs,from=a", "type=cache,target=/a,mode=9"];
  const more = ["type=secret", "type=secret,id=a,source=b", "type=ssh,required=maybe", "type=cache,target=/a,uid=-1"];
  for (const word of [...words, ...more]) assert.throws(() => parse(word), (error) => hasCode(error, "invalid_argument"), word);
});

test("mountFrom() refuses a variable", () => {
  assert.equal(mountFrom("type=bind,from=a,target=/x", at), "a");
  assert.equal(mountFrom("target=$X", at), null);
  assert.throws(() => mountFrom("from=$X", at), (error) => hasCode(error, "invalid_argument"));
});
