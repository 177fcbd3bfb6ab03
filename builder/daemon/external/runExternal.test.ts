import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { processesNaming } from "../../../fixtures/faults.js";
import { FRONTEND, FRONTEND_PROGRAM, importFrontend } from "../../../fixtures/frontendImage.js";
import { BASE, testBuilder } from "../../../fixtures/testBuilder.js";
import { testDaemon } from "../../../fixtures/testDaemon.js";
import { fileStep } from "../../../frontend/dockerfile/convertNodes.js";
import type { Definition } from "../../../solver/llb/definition.js";
import { marshal } from "../../../solver/llb/marshal.js";
import { status as statusMessage } from "../../api/common.js";
import { controlService } from "../../api/control.js";
import type { Decoded } from "../../api/schema.js";
import { createSessions } from "../../session/sessions.js";
import { clientBuilds } from "../client/clientBuild.js";

const box = await testBuilder();
const { store, parts } = box.builder;
await importFrontend(store, box.dir);
const sessions = createSessions();
const worker = { id: "worker-1", labels: {}, platforms: [{ os: "linux", architecture: "amd64" }] };
const frontends = { dockerfile: "for-images", images: true, repositories: [] } as const;
const peer = await testDaemon({ store, sessions, worker, openBuild: clientBuilds({ parts, sessions, allowed: [], workers: [worker], frontends }) });
after(async () => {
  await peer[Symbol.asyncDispose]();
  await box[Symbol.asyncDispose]();
});

type Request = Parameters<typeof controlService.methods.Solve.request.encode>[0];

let builds = 0;

/** Builds without a session; what the frontend told, by name. */
async function solve(request: Request, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const { exporterResponse } = await peer.client.unary(controlService, "Solve", { ref: `build-${builds++}`, ...request }, {}, signal);
  const told = Object.entries(exporterResponse).filter(([name]) => name.startsWith("frontend."));
  return Object.fromEntries(told.map(([name, value]) => [name.slice("frontend.".length), JSON.parse(value) as unknown]));
}

const gateway = (mode: string, more: Readonly<Record<string, string>> = {}): Request => ({ frontend: "gateway.v0", frontendAttrs: { source: FRONTEND, mode, ...more } });

/** A context that is nothing but this Dockerfile. */
function dockerfile(text: string): Readonly<Record<string, Definition>> {
  const action = () => ({ kind: "mkfile", path: "/Dockerfile", mode: 0o644, data: Buffer.from(text), owner: null, timestamp: -1n }) as const;
  const definition = marshal(fileStep(null, [{ action }], { name: "Dockerfile", at: [], ignoreCache: false, platform: null }), []);
  return { context: definition, dockerfile: definition };
}

type Log = Decoded<typeof controlService.methods.Status.response>["logs"][number];

/** What the steps of a build printed. */
async function output(build: number): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { logs } of peer.client.stream(controlService, "Status", { ref: `build-${build}` })) pieces.push(...logs.map((log: Log) => Buffer.from(log.msg)));
  return Buffer.concat(pieces).toString();
}

const failsWith = (code: number, pattern: RegExp) => (error: grpc.ServiceError) => {
  assert.match(error.details, pattern);
  assert.equal(error.code, code);
  assertNothingRuns();
  return true;
};

function assertNothingRuns(): void {
  assert.deepEqual(processesNaming(FRONTEND_PROGRAM), []);
  assert.deepEqual(readdirSync(path.join(store.scratch, "roots")), []);
  assert.deepEqual(readdirSync(store.scratch).filter((name) => name.startsWith("frontend-")), []);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(`${store.scratch}/roots`));
}

test("a frontend in an image asks everything that there is to ask, over its standard streams", async () => {
  const told = await solve({ ...gateway("all", { base: BASE, "build-arg:A": "x=y z" }), frontendInputs: dockerfile("") });
  const { opt, ...rest } = told as { readonly opt: Readonly<Record<string, string>> };
  assert.deepEqual(rest, {
    caps: true,
    read: "told by a frontend\n",
    entries: ["told"],
    size: 19,
    cmd: ["sh"],
    same: true,
    inputs: ["context", "dockerfile"],
    workers: ["worker-1"],
    session: "",
  });
  assert.deepEqual(opt, { source: FRONTEND, mode: "all", base: BASE, "build-arg:A": "x=y z" });
  assert.match(await output(builds - 1), /all is asked\n/);
  assertNothingRuns();
});

test("a frontend in an image makes an image of what the frontend for Dockerfiles answers it", async () => {
  const exporters = [{ type: "image", attrs: { name: "localhost/made:1" } }];
  await solve({ ...gateway("nested", { cmdline: FRONTEND }), frontendInputs: dockerfile(`# syntax=${FRONTEND}\nFROM ${BASE}\nRUN echo nested > /n\n`), exporters });
  const { result } = await box.run({ context: box.context({ Dockerfile: "FROM localhost/made:1\nRUN grep -x nested /n\n" }) });
  assert.ok(result);
});

test("# syntax= and BUILDKIT_SYNTAX name the frontend of a Dockerfile", async () => {
  const attrs = { mode: "all", base: BASE };
  const byFile = await solve({ frontend: "dockerfile.v0", frontendAttrs: attrs, frontendInputs: dockerfile(`# syntax=${FRONTEND} and more\nnonsense`) });
  assert.deepEqual(byFile["opt"], { ...attrs, source: FRONTEND, cmdline: `${FRONTEND} and more` });
  const withArg = { ...attrs, "build-arg:BUILDKIT_SYNTAX": FRONTEND };
  const byArgument = await solve({ frontend: "dockerfile.v0", frontendAttrs: withArg, frontendInputs: dockerfile("# syntax=other/frontend\n") });
  assert.deepEqual(byArgument["opt"], { ...withArg, source: FRONTEND, cmdline: FRONTEND });
});

test("Docker's images of the frontend for Dockerfiles are the built-in one", async () => {
  const frontendInputs = dockerfile(`# syntax=docker.io/docker/dockerfile:1.7-labs\nFROM ${BASE}\n`);
  await solve({ frontend: "dockerfile.v0", frontendInputs });
  await solve({ frontend: "gateway.v0", frontendAttrs: { source: "docker/dockerfile-upstream:master", cmdline: "" }, frontendInputs });
  await assert.rejects(solve({ frontend: "gateway.v0", frontendAttrs: { source: "docker/dockerfiles" }, frontendInputs }));
});

test("a frontend's own error is the build's, at the line that names the frontend", async () => {
  const syntax = { frontend: "dockerfile.v0", frontendAttrs: { mode: "error" }, frontendInputs: dockerfile(`# syntax=${FRONTEND}\n`) };
  await assert.rejects(solve(syntax), (error: grpc.ServiceError) => {
    const { details } = statusMessage.decode(error.metadata.get("grpc-status-details-bin")[0] as Buffer);
    assert.deepEqual(details.map(({ typeUrl }) => typeUrl), ["example.com/detail", "github.com/moby/buildkit/errdefs.Source+json"]);
    return failsWith(grpc.status.NOT_FOUND, /^nothing of the kind$/)(error);
  });
  await assert.rejects(solve({ ...syntax, frontendInputs: dockerfile("# syntax=localhost/no-such-frontend\n") }), /no-such-frontend/);
});

test("a frontend that ends without a result fails the build, with its exit code if it has one", async () => {
  await assert.rejects(solve(gateway("exit")), failsWith(grpc.status.UNKNOWN, /process "\/node \/frontend-\d+\.mjs" did not complete successfully: exit code: 3/));
  assert.match(await output(builds - 1), /no way\n/);
  await assert.rejects(solve(gateway("silent")), failsWith(grpc.status.UNKNOWN, /^Cannot use the frontend "localhost\/frontend:1": it ended without a result$/));
  await assert.rejects(solve(gateway("changed")), failsWith(grpc.status.UNKNOWN, /exit code: 4/));
  await assert.rejects(solve({ frontend: "gateway.v0", frontendAttrs: { source: BASE } }), failsWith(grpc.status.UNKNOWN, /\/run/));
});

test("a frontend that says nonsense is ended", async () => {
  await assert.rejects(solve(gateway("garbage")), failsWith(grpc.status.UNKNOWN, /^Cannot use the frontend "localhost\/frontend:1": it hung up without a result$/));
});

test("a frontend that never returns ends with its build", async () => {
  const abort = new AbortController();
  const running = solve(gateway("hang"), abort.signal);
  running.catch(() => {});
  const ref = `build-${builds - 1}`;
  for await (const { logs } of peer.client.stream(controlService, "Status", { ref })) {
    if (logs.some((log: Log) => Buffer.from(log.msg).includes("hanging"))) abort.abort();
  }
  await assert.rejects(running, (error: grpc.ServiceError) => error.code === grpc.status.CANCELLED);
  assertNothingRuns();
});

test("steps that a frontend has asked for end when it has ended", async () => {
  const leaving = { ...gateway("leave"), frontendInputs: dockerfile(`FROM ${BASE}\nRUN sleep 4321\n`) };
  await assert.rejects(solve(leaving), failsWith(grpc.status.UNKNOWN, /exit code: 7/));
  assert.deepEqual(processesNaming("sleep 4321"), []);
});

test("a frontend hears what is wrong with what it asks, and its first result counts", async () => {
  const told = await solve(gateway("strangers"));
  assert.match(String(told["read"]), /^not_found: .*Cannot find the reference "nothing"/);
  assert.match(String(told["missing"]), /^not_found: .*\/none/);
  assert.match(String(told["wrong"]), /^unsupported: .*other\.v0/);
  await assert.rejects(solve(gateway("unknown")), failsWith(grpc.status.NOT_FOUND, /Cannot find the reference "nothing"/));
  assert.deepEqual(await solve(gateway("twice")), { first: true });
  assert.match(await output(builds - 1), /the build has one already/);
});

test("what a client needs is asked of the image that is the frontend, and of the built-in one", async () => {
  const needs = (caps: string) => ({ "frontend.caps": caps });
  const missing = failsWith(grpc.status.UNIMPLEMENTED, /^unsupported frontend capability moby\.buildkit\.frontend\.other$/);
  await assert.rejects(solve(gateway("all", needs("moby.buildkit.frontend.inputs,moby.buildkit.frontend.other"))), missing);
  const plain = { frontend: "dockerfile.v0", frontendInputs: dockerfile(`FROM ${BASE}\n`) };
  await solve({ ...plain, frontendAttrs: needs("moby.buildkit.frontend.contexts+forward") });
  await assert.rejects(solve({ ...plain, frontendAttrs: needs("moby.buildkit.frontend.other") }), missing);
  await assert.rejects(solve({ ...plain, frontendAttrs: needs("moby.buildkit.frontend.other+forward") }), missing);
});

test("a context of the frontend's name is the frontend", async () => {
  const attrs = { "context:example.com/frontend": `docker-image://${FRONTEND}`, mode: "twice" };
  assert.deepEqual(await solve({ frontend: "gateway.v0", frontendAttrs: { source: "example.com/frontend", ...attrs } }), { first: true });
});
