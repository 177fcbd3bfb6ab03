import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fakeImages } from "../fixtures/images.js";
import { checkThrown, mutated, random } from "../fixtures/fuzz.js";
import { dockerfileToDefinition } from "./mod.js";
import { defaultFrontendOptions, type FrontendOptions } from "./options.js";

const platform = { os: "linux", architecture: "amd64" };
const options: FrontendOptions = {
  ...defaultFrontendOptions,
  platform,
  buildPlatform: platform,
  buildArgs: new Map([["A", "x"]]),
  ignore: ["*.log", "!a"],
  resolveImage: fakeImages,
};

/** Lines of every golden case, so that each instruction form of the language is mutated. */
const lines = readdirSync("fixtures/dockerfiles").sort().flatMap((name) =>
  readFileSync(path.join("fixtures/dockerfiles", name, "Dockerfile"), "latin1").split("\n").map((line) => `${line}\n`),
);

async function convert(text: string): Promise<void> {
  try {
    await dockerfileToDefinition(text, options);
  } catch (error) {
    checkThrown(error, text);
  }
}

test("dockerfileToDefinition() only ever fails with located mistakes, on 40,000 mutated files", async () => {
  const next = random(3);
  for (let round = 0; round < 40_000; round++) await convert(`FROM scratch AS a\n${mutated(next, lines)}`);
});

const mib = 1024 * 1024;
const filled = (unit: string): string => unit.repeat(Math.ceil(mib / unit.length));
const numbered = (line: (n: number) => string, size: number): string => {
  let text = "";
  for (let n = 0; text.length < size; n++) text += `${line(n)}\n`;
  return text;
};

/** A mebibyte of each: what is quadratic takes minutes, and the test's own limit ends it. */
const hostile: readonly [string, string][] = [
  ["stages", numbered((n) => `FROM scratch AS s${n}`, mib)],
  ["stages on top of each other", `FROM scratch AS s0\n${numbered((n) => `FROM s${n} AS s${n + 1}`, mib / 8)}`],
  ["a chain of copies", `FROM scratch AS s0\n${numbered((n) => `FROM scratch AS s${n + 1}\nCOPY --from=s${n} / /`, mib / 8)}`],
  ["variables", `FROM scratch\n${numbered((n) => `ENV A${n}=$A${n - 1}x`, mib / 8)}`],
  ["variables that double", `FROM scratch\nENV A=aaaaaaaa\n${filled("ENV A=$A$A\n")}`],
  ["labels", `FROM scratch\n${numbered((n) => `LABEL a${n}=b`, mib / 8)}`],
  ["labels of one instruction", `FROM scratch\nLABEL ${numbered((n) => `a${n}=b \\`, mib)}\n`],
  ["arguments", `${numbered((n) => `ARG A${n}=$A${n - 1}`, mib / 8)}FROM scratch`],
  ["copies", `FROM scratch\n${filled("COPY a /b/\n")}`],
  ["steps", `FROM busybox\n${filled("RUN x\n")}`],
  ["mounts", `FROM busybox\nRUN ${filled("--mount=type=tmpfs,target=/a ")} x\n`],
  ["fields of a mount", `FROM busybox\nRUN --mount=${filled("type=tmpfs,")} x\n`],
  ["copies from each other", `FROM scratch AS s0\n${numbered((n) => `FROM scratch AS s${n + 1}\nCOPY --from=s${n} / /`, mib / 4)}`],
  ["unknown stages", `FROM scratch\n${numbered((n) => `COPY --from=s${n}x a b`, mib / 4)}`],
  ["ports", `FROM scratch\nEXPOSE ${filled("1-65535 ")}`],
  ["triggers", `FROM scratch AS a\n${filled("ONBUILD RUN x\n")}FROM a\nFROM a`],
];

for (const [name, text] of hostile) {
  test(`dockerfileToDefinition() is linear in ${name}`, { timeout: 60_000 }, async () => convert(text));
}
