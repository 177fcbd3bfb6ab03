import assert from "node:assert/strict";
import test from "node:test";
import { isTbuildError } from "../../../../cache/errors.js";
import type { Instruction } from "../../instruction.js";
import { parseDockerfile } from "../../parse.js";

const parse = (text: string, header = ""): Instruction => {
  const isFrom = /^from/i.test(text);
  return parseDockerfile(`${header}${isFrom ? "" : "FROM base\n"}${text}`, "Dockerfile").instructions.at(-1)!;
};

/** What an instruction adds to the common fields. */
function fields(instruction: Instruction): Record<string, unknown> {
  const { at, original, keyword, comments, where: _, ...rest } = instruction;
  assert.ok(at && original !== "" && keyword !== "" && comments);
  return rest;
}

const run = { mounts: [], network: null, security: null, devices: [], heredocs: [] };
const copy = { from: null, parents: false, chown: null, chmod: null, link: false, exclude: [], heredocs: [] };
const add = { checksum: null, keepGitDir: null, unpack: null, chown: null, chmod: null, link: false, exclude: [], heredocs: [] };
const shell = (text: string) => ({ form: "shell", text });
const exec = (args: readonly string[]) => ({ form: "exec", args });
const pair = (key: string, value: string | null) => ({ key, value });
const zero = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
const heredoc = { expand: true, chomp: false, fd: 0 };

const rows: readonly [string, Record<string, unknown>][] = [
  ["FROM a", { name: "from", image: "a", platform: null, as: null, asWritten: null }],
  [
    "from --platform=$P a:1@b as My.S_1-x",
    { name: "from", image: "a:1@b", platform: "$P", as: "my.s_1-x", asWritten: { keyword: "as", name: "My.S_1-x" } },
  ],
  ["FROM --platform= a", { name: "from", image: "a", platform: null, as: null, asWritten: null }],
  ["ARG a", { name: "arg", args: [pair("a", null)] }],
  [
    "ARG a b= c=\"d e\" f='g=h'",
    { name: "arg", args: [pair("a", null), pair("b", ""), pair("c", '"d e"'), pair("f", "'g=h'")] },
  ],
  [
    "ENV a=b c=\"d e\" f=g\\ h",
    { name: "env", legacy: false, pairs: [pair("a", "b"), pair("c", '"d e"'), pair("f", "g\\ h")] },
  ],
  ["ENV a  b c=d", { name: "env", legacy: true, pairs: [pair("a", "b c=d")] }],
  ["ENV a=", { name: "env", legacy: false, pairs: [pair("a", "")] }],
  [
    "LABEL \"a.b\"='c d' e=f",
    { name: "label", legacy: false, pairs: [pair('"a.b"', "'c d'"), pair("e", "f")] },
  ],
  ["LABEL a b", { name: "label", legacy: true, pairs: [pair("a", "b")] }],
  ["RUN", { ...run, name: "run", command: shell("") }],
  ["RUN echo \"a  b\" \\\n  c", { ...run, name: "run", command: shell('echo "a  b"   c') }],
  ['RUN ["a", "b c"]', { ...run, name: "run", command: exec(["a", "b c"]) }],
  ["RUN ['a']", { ...run, name: "run", command: shell("['a']") }],
  ["RUN [ -f x ] && y", { ...run, name: "run", command: shell("[ -f x ] && y") }],
  [
    "RUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y --network=none --security=insecure --device=a,required x --y",
    {
      ...run,
      name: "run",
      mounts: ["type=cache,target=/x", "type=tmpfs,target=/y"],
      network: "none",
      security: "insecure",
      devices: [{ name: "a", optional: false }],
      command: shell("x --y"),
    },
  ],
  ["RUN -- --x", { ...run, name: "run", command: shell("--x") }],
  [
    "RUN <<'E' | python\nprint(1)\nE",
    {
      ...run,
      name: "run",
      command: shell("<<'E' | python"),
      heredocs: [{ ...heredoc, name: "E", expand: false, content: "print(1)\n" }],
    },
  ],
  [
    "RUN 3<<-E\n\ta\n\tE",
    { ...run, name: "run", command: shell("3<<-E"), heredocs: [{ ...heredoc, name: "E", chomp: true, fd: 3, content: "a\n" }] },
  ],
  ["CMD a  b", { name: "cmd", command: shell("a  b") }],
  ["CMD []", { name: "cmd", command: exec([]) }],
  ["CMD", { name: "cmd", command: shell("") }],
  ['ENTRYPOINT ["a"]', { name: "entrypoint", command: exec(["a"]) }],
  ['SHELL ["/bin/bash", "-c"]', { name: "shell", args: ["/bin/bash", "-c"] }],
  ["COPY a b /c/", { ...copy, name: "copy", sources: ["a", "b"], dest: "/c/" }],
  ['COPY ["a b", "<<c"]', { ...copy, name: "copy", sources: ["a b"], dest: "<<c" }],
  [
    "COPY --from=x --chown=a:b --chmod=755 --link --parents=TRUE --exclude=*.o --exclude=y a b",
    {
      ...copy,
      name: "copy",
      from: "x",
      chown: "a:b",
      chmod: "755",
      link: true,
      parents: true,
      exclude: ["*.o", "y"],
      sources: ["a"],
      dest: "b",
    },
  ],
  ["COPY --link=false --from= a b", { ...copy, name: "copy", sources: ["a"], dest: "b" }],
  [
    "COPY <<-A x <<\"B C\" /d/\n\t1\nA\n2\nB C",
    {
      ...copy,
      name: "copy",
      sources: ["x"],
      dest: "/d/",
      heredocs: [
        { ...heredoc, name: "A", chomp: true, content: "1\n" },
        { ...heredoc, name: "B C", expand: false, content: "2\n" },
      ],
    },
  ],
  ["COPY << E /d\nE", { ...copy, name: "copy", sources: [], dest: "/d", heredocs: [{ ...heredoc, name: "E", content: "" }] }],
  ["ADD https://a/b.tar /c", { ...add, name: "add", sources: ["https://a/b.tar"], dest: "/c" }],
  [
    "ADD --checksum=sha256:x --keep-git-dir --unpack=false a b",
    { ...add, name: "add", checksum: "sha256:x", keepGitDir: true, unpack: false, sources: ["a"], dest: "b" },
  ],
  ["EXPOSE 80 443/tcp\t$P", { name: "expose", ports: ["80", "443/tcp", "$P"] }],
  ["VOLUME /a /b", { name: "volume", paths: ["/a", "/b"] }],
  ['VOLUME [" /a b "]', { name: "volume", paths: ["/a b"] }],
  ["USER a:b", { name: "user", user: "a:b" }],
  ["WORKDIR /a b", { name: "workdir", path: "/a b" }],
  ["STOPSIGNAL SIGTERM", { name: "stopsignal", signal: "SIGTERM" }],
  ["MAINTAINER A <a@b>", { name: "maintainer", maintainer: "A <a@b>" }],
  ["HEALTHCHECK NONE", { name: "healthcheck", command: null, ...zero }],
  ["HEALTHCHECK --retries=1 none", { name: "healthcheck", command: null, ...zero }],
  ["HEALTHCHECK cmd curl  x", { name: "healthcheck", command: shell("curl  x"), ...zero }],
  [
    'HEALTHCHECK --interval=1m30s --timeout=1ms --start-period=0 --start-interval=2s --retries=3 CMD ["a"]',
    { ...zero, name: "healthcheck", command: exec(["a"]), interval: 9e10, timeout: 1e6, startInterval: 2e9, retries: 3 },
  ],
  ["ONBUILD RUN a \\\n b", { name: "onbuild", trigger: "RUN a  b" }],
  ["onbuild copy --from=x <<-E /d\n\tq\n\tE", { name: "onbuild", trigger: "copy --from=x <<-E /d\n\tq\nE" }],
];

for (const [text, expected] of rows) {
  test(`parses ${JSON.stringify(text)}`, () => assert.deepEqual(fields(parse(text)), expected));
}

const refused: readonly [string, RegExp][] = [
  ["FROM", /either one argument, an image, or three/],
  ["FROM a b", /either one argument/],
  ["FROM a b c", /either one argument/],
  ["FROM a AS b c", /either one argument/],
  ["FROM a AS 9b", /"9b" as stage name/],
  ["FROM a AS b/c", /"b\/c" as stage name/],
  ["FROM --platfrom=x a", /Unknown flag "--platfrom"/],
  ["ARG", /ARG requires at least one argument/],
  ["ARG =a", /the name is blank/],
  ["ARG --x a", /ARG takes no flags/],
  ["ENV", /ENV requires at least one argument/],
  ["ENV a", /ENV requires a value for "a"/],
  ['ENV ""', /ENV requires a value/],
  ["ENV =b", /the name is blank/],
  ["ENV a=b c", /expected NAME=VALUE/],
  ["LABEL", /LABEL requires at least one argument/],
  ["RUN []", /RUN requires at least one argument/],
  ["RUN --mount", /"--mount" of RUN: its value is missing/],
  ["RUN --network=foo x", /must be default or none or host, not "foo"/],
  ["RUN --network= x", /must be default or none or host, not ""/],
  ["RUN --security=x y", /must be sandbox or insecure/],
  ["RUN --network=none --network=host x", /given twice/],
  ["CMD --x", /CMD takes no flags/],
  ["SHELL", /SHELL requires at least one argument/],
  ["SHELL []", /SHELL requires at least one argument/],
  ["SHELL bash -c", /SHELL requires its arguments in JSON form/],
  ["COPY", /COPY requires at least two arguments, a source and a destination, but got 0/],
  ['COPY ["a"]', /but got 1/],
  ["COPY <<E\nE", /but got 1/],
  ["COPY a <<E\nE", /"E" as destination of COPY/],
  ["COPY <<E <<F\nE\nF", /"F" as destination/],
  ["COPY --link=x a b", /must be true or false, not "x"/],
  ["COPY --link= a b", /must be true or false/],
  ["ADD a", /ADD requires at least two arguments/],
  ["ADD --from=x a b", /Unknown flag "--from"/],
  ["EXPOSE", /EXPOSE requires at least one argument/],
  ["VOLUME []", /VOLUME requires at least one argument/],
  ['VOLUME [" "]', /empty path as VOLUME/],
  ["USER", /USER requires exactly one argument/],
  ["WORKDIR", /WORKDIR requires exactly one argument/],
  ["STOPSIGNAL", /STOPSIGNAL requires exactly one argument/],
  ["MAINTAINER --boo a", /Unknown flag "--boo"/],
  ["HEALTHCHECK", /HEALTHCHECK requires at least one argument/],
  ["HEALTHCHECK NONE x", /NONE takes no arguments/],
  ["HEALTHCHECK CMD", /HEALTHCHECK CMD requires a command/],
  ["HEALTHCHECK CMD []", /HEALTHCHECK CMD requires a command/],
  ["HEALTHCHECK FOO x", /"FOO" as kind of HEALTHCHECK/],
  ["HEALTHCHECK --interval=50ns CMD x", /must be 1ms or longer/],
  ["HEALTHCHECK --timeout=-1s CMD x", /must be 1ms or longer/],
  ["HEALTHCHECK --timeout=5 CMD x", /"5" is no duration/],
  ["HEALTHCHECK --retries=-1 CMD x", /a whole number from 0 up/],
  ["HEALTHCHECK --retries=1.5 CMD x", /a whole number from 0 up/],
  ["ONBUILD", /ONBUILD requires at least one argument/],
  ["ONBUILD ONBUILD RUN a", /ONBUILD as trigger of ONBUILD/],
  ["ONBUILD from a", /FROM as trigger of ONBUILD/],
  ["ONBUILD MAINTAINER a", /MAINTAINER as trigger/],
  ["ONBUILD FOO", /Unknown instruction "FOO"/],
  ["ONBUILD COPY a", /COPY requires at least two/],
  ["FOO bar", /Unknown instruction "FOO"/],
];

for (const [text, message] of refused) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parse(text), (error) => {
      assert.ok(isTbuildError(error) && error.code === "parse_failed" && error.at !== undefined, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

test("ENV and flags follow the escape directive", () => {
  const env = parse("ENV a=b` c d=\\", "# escape=`\n");
  assert.deepEqual(env.name === "env" && env.pairs, [pair("a", "b` c"), pair("d", "\\")]);
});
