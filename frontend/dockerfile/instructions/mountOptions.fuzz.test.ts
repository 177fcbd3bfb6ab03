import test from "node:test";
import { mutated, onlyLocated, random, somewhere } from "../../../fixtures/fuzz.js";
import { mountFrom, parseMount } from "./mountOptions.js";

const snippets = [
  "type=", "bind", "cache", "tmpfs", "secret", "ssh", ",", "=", '"', '""', "target=/x", "dst=", "source=../a", "from=b", "from=$A", "id=i", "env",
  "env=E", "mode=0755", "mode=9", "uid=0", "gid=-1", "uid=99999999999", "size=1.5g", "size=g", "sharing=locked", "sharing=l", "ro", "rw=false",
  "readonly=maybe", "required", "required=true", " ", "\u0000", "\u00a0", "🚀", "\ud800", "${A:?x}", "TARGET=/y",
];

test("parseMount() only ever fails with located mistakes, on 40,000 random mounts", () => {
  const next = random(11);
  for (let round = 0; round < 40_000; round++) {
    const text = mutated(next, snippets);
    onlyLocated(text, () => parseMount(text, () => somewhere, (value) => value));
    onlyLocated(text, () => mountFrom(text, () => somewhere));
  }
});
