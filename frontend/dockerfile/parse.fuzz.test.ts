import assert from "node:assert/strict";
import test from "node:test";
import { checkRange, mutated, onlyLocated, random, somewhere } from "../../fixtures/fuzz.js";
import { expandRaw, expandWord, expandWords } from "./expand.js";
import { parseDockerfile, parseTrigger } from "./parse.js";

const snippets = [
  "# syntax=docker/dockerfile:1\n", "# escape=`\n", "# check=skip=all\n", "#\n", "# a\n", "\uFEFF", "FROM a AS b\n",
  "FROM scratch\n", "ARG A=1 B\n", "ENV a=b c=\"d e\"\n", "ENV a b\n", "LABEL x='y z'\n", "RUN a && \\\n  b\n",
  "RUN <<EOF\nx\nEOF\n", "RUN <<-'E' 3<<F\n\tx\nE\nF\n", "COPY --from=b --chown=\"a b\" x y\n",
  "COPY <<\"A B\" /d\nz\nA B\n", "ADD --unpack a b\n", "CMD [\"a\", \"b\"]\n", "HEALTHCHECK --interval=5s CMD x\n",
  "ONBUILD RUN <<E\nq\nE\n", "EXPOSE 80\n", "VOLUME [\"/a\"]\n", "SHELL [\"a\"]\n", "USER $A\n", "WORKDIR ${A:-${B#x*}}\n",
  "STOPSIGNAL 9\n", "\\", "`", "\"", "'", "<<", "<<-", "EOF", "\n", "\r\n", " ", "\t", "\\\n", "#", "--", "=", "[", "]",
  "${", "}", "$A", "${A/", "%%*", "?", "\u0000", "\u00a0", "한", "\ud800", "🚀",
];

test("parseDockerfile() only ever fails with located mistakes, on 60,000 random files", () => {
  const next = random(20);
  for (let round = 0; round < 60_000; round++) {
    const text = mutated(next, snippets);
    const lines = text.split("\n").length;
    onlyLocated(text, () => {
      for (const { at, original } of parseDockerfile(text, "Dockerfile").instructions) {
        checkRange(at, lines);
        assert.ok(original !== "" && !original.includes("\n"));
      }
    });
  }
});

test("expandWord() and its kin only ever fail with located errors, on 40,000 random words", () => {
  const next = random(7);
  const env = { get: (name: string) => (name === "A" ? "x *\\y" : undefined) };
  for (let round = 0; round < 40_000; round++) {
    const text = mutated(next, snippets);
    for (const expand of [expandWord, expandWords, expandRaw]) onlyLocated(text, () => expand(text, env, "\\", somewhere));
    onlyLocated(text, () => parseTrigger(text, somewhere, "`"));
  }
});

const big = 200_000;
const hostile: readonly [string, string][] = [
  ["continuations", "FROM a\nRUN " + "x \\\n".repeat(big)],
  ["blank continuations", "FROM a\nRUN x \\\n" + "\n".repeat(big)],
  ["backslashes", "FROM a\nRUN " + "\\".repeat(big)],
  ["blanks", "FROM a\nRUN x \\" + " ".repeat(big) + "x\nRUN " + "\t".repeat(big)],
  ["blanks in a directive", "# syntax" + " ".repeat(big) + "x\nFROM a"],
  ["blanks after a marker", "FROM a\nRUN <<" + " ".repeat(big) + "<\n"],
  ["markers", "FROM a\nRUN " + "<<E ".repeat(big / 10) + "\n" + "E\n".repeat(big / 10)],
  ["quotes", "FROM a\nENV a=" + "'\"".repeat(big) + "\nRUN <<E " + "'\"".repeat(big)],
  ["words", "FROM a\nENV " + "a=b ".repeat(big) + "\nLABEL " + "a ".repeat(big)],
  ["flags", "FROM a\nCOPY " + "--exclude=a ".repeat(big) + "a b"],
  ["brackets", "FROM a\nCMD " + "[".repeat(big) + "\nCMD " + "[".repeat(big) + "]".repeat(big)],
  ["comments", "# a\n".repeat(big) + "FROM a"],
  ["unknown instructions", "FROM a\n" + "x\n".repeat(big)],
  ["one long unknown word", "FROM a\n" + "x".repeat(big)],
  ["digits", "FROM a\nHEALTHCHECK --interval=" + "9".repeat(big) + "s CMD x\nRUN " + "9".repeat(big) + "<<E\nE"],
  ["onbuild", "FROM a\n" + "ONBUILD ".repeat(big)],
];

for (const [name, text] of hostile) {
  test(`parseDockerfile() is linear in ${name}`, () => {
    onlyLocated(text, () => parseDockerfile(text, "Dockerfile"));
  });
}

test("expandWord() is linear in quotes, dollars and open braces", () => {
  for (const unit of ["$", "$A", "'a'", '"$A"', "\\", "${", "${A:-", "a ", "${A#*}"]) {
    onlyLocated(unit, () => expandWord(unit.repeat(big), { get: () => "" }, "\\", somewhere));
  }
});
