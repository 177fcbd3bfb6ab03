import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../fixtures/fuzz.js";
import { createMasker } from "./mask.js";

function masked(values: readonly string[], chunks: readonly string[]): string {
  const masker = createMasker(values.map((value) => Buffer.from(value, "latin1")));
  return Buffer.concat([...chunks.map((chunk) => masker.push(Buffer.from(chunk, "latin1"))), masker.end()]).toString("latin1");
}

/** Looks at the whole text: at each place the longest value that stands there. */
function naive(values: readonly string[], text: string): string {
  const sorted = [...values].sort((a, b) => b.length - a.length);
  let out = "";
  for (let at = 0; at < text.length; ) {
    const value = sorted.find((candidate) => text.startsWith(candidate, at));
    out += value === undefined ? text[at] : "****";
    at += value?.length ?? 1;
  }
  return out;
}

test("createMasker() hides values, also where a chunk ends in the middle", () => {
  assert.equal(masked(["secret"], ["a secret", " and sec", "ret.", "se"]), "a **** and ****.se");
});

test("createMasker() hides each line of a value, and the value without the newline at its end", () => {
  assert.equal(masked(["line number 1\n}\nline number 2\n"], ["x line number 2 }\nline number 1\n"]), "x **** }\n****\n");
  assert.equal(masked(["value\n"], ["value;"]), "****;");
});

test("createMasker() leaves values under 4 bytes and all other bytes as they are", () => {
  assert.equal(masked(["abc", ""], ["abc\u0000\u00ff"]), "abc\u0000\u00ff");
});

test("createMasker() passes on at once what cannot be the start of a value", () => {
  assert.equal(createMasker([Buffer.from("secret")]).push(Buffer.from("hello\n")).toString(), "hello\n");
});

test("createMasker() agrees with a look at the whole text, however it is cut, in 5,000 random runs", () => {
  const next = random(12);
  for (let round = 0; round < 5_000; round++) {
    const word = (length: number) => Array.from({ length }, () => "ab"[next(2)]).join("");
    const values = Array.from({ length: 1 + next(3) }, () => word(4 + next(4)));
    const chunks = Array.from({ length: next(6) }, () => word(next(9)));
    assert.equal(masked(values, chunks), naive(values, chunks.join("")), JSON.stringify({ values, chunks }));
  }
});
