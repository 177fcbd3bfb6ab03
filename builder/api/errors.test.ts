import assert from "node:assert/strict";
import { test } from "node:test";
import { definitionCodec } from "../../solver/llb/codecDefinition.js";
import { encode } from "../../solver/llb/message.js";
import { errorCodes, TbuildError } from "../../cache/errors.js";
import { codeOfStatus, grpcCode, TBUILD_ERROR, toStatus } from "./errors.js";

const at = { file: "Dockerfile", start: { line: 2, column: 3 }, end: { line: 2, column: 9 } };
const failure = { argv: ["/bin/sh", "-c", "false"], exitCode: 1, signal: null, outOfMemory: false, logTail: [] };
const info = { filename: "Dockerfile", data: Buffer.from("FROM a\nRUN false\n"), language: "Dockerfile" };
/** But for our own errors, of which a test tells. */
const detailsOf = ({ details }: ReturnType<typeof toStatus>) =>
  details.filter(({ typeUrl }) => !typeUrl.includes(TBUILD_ERROR)).map(({ typeUrl, value }) => [typeUrl, JSON.parse(Buffer.from(value).toString("utf8")) as unknown]);

test("toStatus() has a code for every code", () => {
  for (const code of errorCodes) assert.ok(toStatus(new TbuildError(code, "m")).code > 0, code);
});

test("toStatus() says which lines failed, how the process ended, and which step it was", () => {
  const error = new TbuildError("process_failed", "Step failed", { at, process: failure });
  const status = toStatus(error, { source: (file) => (file === "Dockerfile" ? info : undefined), vertex: "sha256:v" });
  assert.equal(status.code, grpcCode.unknown);
  assert.equal(status.message, 'process "/bin/sh -c false" did not complete successfully: exit code: 1');
  assert.deepEqual(detailsOf(status), [
    [
      "github.com/moby/buildkit/errdefs.Source+json",
      {
        info: { filename: "Dockerfile", data: info.data.toString("base64"), language: "Dockerfile" },
        ranges: [{ start: { line: 2, character: 2 }, end: { line: 2, character: 8 } }],
      },
    ],
    ["github.com/moby/buildkit/gatewayapi.ExitMessage+json", { Code: 1 }],
    ["github.com/moby/buildkit/errdefs.Vertex+json", { digest: "sha256:v" }],
  ]);
});

test("toStatus() has a range for each line, and the graph that the file comes from", () => {
  const several = { file: "Dockerfile", start: { line: 2, column: 3 }, end: { line: 4, column: 5 } };
  const definition = encode(definitionCodec, { def: [Buffer.from("op")], metadata: new Map(), source: { infos: [], locations: new Map() } });
  const status = toStatus(new TbuildError("parse_failed", "m", { at: several }), { source: () => ({ ...info, definition }) });
  const [[, found]] = detailsOf(status) as [[string, { readonly info: { readonly definition: unknown }; readonly ranges: readonly unknown[] }]];
  assert.deepEqual(found.info.definition, { def: [Buffer.from("op").toString("base64")] });
  assert.deepEqual(found.ranges, [
    { start: { line: 2, character: 2 }, end: { line: 2, character: 2 } },
    { start: { line: 3, character: 0 }, end: { line: 3, character: 0 } },
    { start: { line: 4, character: 0 }, end: { line: 4, character: 4 } },
  ]);
});

test("toStatus() tells every place of a step, the last one first", () => {
  const place = (line: number) => ({ ...at, start: { line, column: 1 }, end: { line, column: 1 } });
  const places = [place(7), place(8), place(9)];
  const details = detailsOf(toStatus(new TbuildError("not_found", "m", { at: places[0] }), { source: () => info, places }));
  assert.deepEqual(details.map(([, value]) => (value as { ranges: { start: { line: number } }[] }).ranges[0]?.start.line), [9, 8, 7]);
});

test("toStatus() has BuildKit's words, with a kind where BuildKit has one", () => {
  const said = (...args: ConstructorParameters<typeof TbuildError>) => {
    const { code, message } = toStatus(new TbuildError(...args));
    return [code, message];
  };
  assert.deepEqual(said("cancelled", "Build cancelled"), [grpcCode.cancelled, "context canceled"]);
  assert.deepEqual(said("not_found", 'No such build "x"'), [grpcCode.notFound, "no such job x"]);
  const denied = 'error evaluating the source policy: source "a://b" denied by policy: source denied by policy';
  assert.deepEqual(said("permission_denied", 'Cannot use "a://b": the source policy denies it'), [grpcCode.unknown, denied]);
  const [path, words] = ['Cannot copy "/x": no such path in the empty tree', "lstat /x: no such file or directory"];
  assert.deepEqual([said("not_found", path), said("not_found", path, { at })], [[grpcCode.unknown, words], [grpcCode.unknown, 'failed to calculate checksum of ref stage: "/x": not found']]);
  assert.deepEqual(said("not_found", 'Cannot download "https://a.test/x": the server answered 404'), [grpcCode.unknown, "invalid response status 404"]);
});

test("toStatus() tells the hint, and every mistake of several", () => {
  const others = [new TbuildError("parse_failed", "Second", { at: { ...at, file: "gone" } })];
  const status = toStatus(new TbuildError("parse_failed", "First", { at, hint: "Do this", others }), { source: (file) => (file === "gone" ? undefined : info) });
  assert.equal(status.message, "First\nhint: Do this\nSecond");
  assert.equal(detailsOf(status).length, 1);
});

test("toStatus() has the errors themselves for a client that is tbuild, without output and paths of the daemon", () => {
  const withOutput = { ...failure, logTail: ["secret"], logFile: "/var/lib/tbuild/logs/1" };
  const error = new TbuildError("process_failed", "Step failed", { at, hint: "Do this", process: withOutput, others: [new TbuildError("not_found", "Second")] });
  const [own] = toStatus(error).details.filter(({ typeUrl }) => typeUrl.includes(TBUILD_ERROR));
  assert.deepEqual(JSON.parse(Buffer.from(own?.value ?? []).toString("utf8")), [
    { code: "process_failed", message: "Step failed", hint: "Do this", at, process: failure },
    { code: "not_found", message: "Second" },
  ]);
});

test("toStatus() calls internal what is no error of ours", () => {
  assert.deepEqual(toStatus(new TypeError("x is undefined")), { code: grpcCode.internal, message: "x is undefined", details: [] });
});

test("codeOfStatus() gives the code that a client's status stands for", () => {
  assert.equal(codeOfStatus(grpcCode.notFound), "not_found");
  assert.equal(codeOfStatus(99), "unavailable");
});
