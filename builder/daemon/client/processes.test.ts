import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { base, type TestGraph, withGraphs } from "../../../fixtures/testGraph.js";
import { file, type Output } from "../../../solver/llb/state.js";
import { type ExecMessage, execMessage, type ExecMessageInput, newContainerRequest } from "../../api/container.js";
import { entitlementsOf } from "../../entitlements.js";
import { containerCalls, type ContainerCalls } from "./containerCalls.js";
import { createContainers } from "./containers.js";
import { createOutbox } from "../outbox.js";

const made: Output = file(null, [{ action: { kind: "mkfile", path: "/given", mode: 0o644, data: Buffer.from("from a result"), owner: null, timestamp: -1n } }]);

/** A client that drives containers of two results, "base" and "made". */
async function withCalls(body: (calls: ContainerCalls, graphs: TestGraph) => Promise<void>, signal = new AbortController().signal): Promise<void> {
  await withGraphs(async (graphs) => {
    const entitlements = entitlementsOf({});
    const depsFor = async () => graphs.deps;
    await using containers = createContainers({ depsFor, entitlements, signal, refOf: (id) => graphs.run(id === "base" ? base : made) });
    await body(containerCalls({ containers, depsFor, entitlements }), graphs);
  });
}

const root = { dest: "/", resultId: "base", input: 0, selector: "", output: 0, readonly: false, type: { kind: "bind" }, contentCache: "default" } as const;

async function newContainer(calls: ContainerCalls, more: readonly (typeof root | object)[] = [], over: object = {}): Promise<void> {
  const mounts = [root, ...more.map((mount) => ({ ...root, ...mount }))];
  await calls.newContainer(newContainerRequest.decode(newContainerRequest.encode({ containerId: "c", mounts, ...over } as never)));
}

const meta = (script: string) => ({
  args: ["/bin/sh", "-c", script], env: ["PATH=/bin:/usr/bin"], cwd: "/", user: "", proxyEnv: null, extraHosts: [], hostname: "",
  ulimits: [], cgroupParent: "", removeMountStubsRecursive: true, validExitCodes: [],
});

const init = (processId: string, script: string, more: object = {}): ExecMessageInput =>
  ({ processId, init: { containerId: "c", meta: meta(script), fds: [0, 1, 2], ...more } }) as ExecMessageInput;

/** A conversation: `say` puts in what the client says, `heard` is what it has been told. */
function talk(calls: ContainerCalls, gone = new AbortController().signal) {
  const said = createOutbox<ExecMessage>();
  const heard: ExecMessage[] = [];
  const waiting: { fits: (heard: readonly ExecMessage[]) => boolean; go: () => void }[] = [];
  const over = (async () => {
    for await (const message of calls.execProcess(said, gone)) {
      heard.push(execMessage.decode(execMessage.encode(message)));
      for (const { fits, go } of waiting) if (fits(heard)) go();
    }
  })();
  over.catch(() => {});
  return {
    heard,
    over,
    say: (message: ExecMessageInput) => void said.push(execMessage.decode(execMessage.encode(message))),
    hangUp: () => said.end(),
    until: (fits: (heard: readonly ExecMessage[]) => boolean) =>
      Promise.race([over, new Promise<void>((go) => (fits(heard) ? go() : waiting.push({ fits, go })))]),
  };
}

const text = (heard: readonly ExecMessage[], fd = 1) => Buffer.concat(heard.flatMap(({ file }) => (file?.fd === fd ? [file.data] : []))).toString();
const kinds = (heard: readonly ExecMessage[]) =>
  heard.map(({ started, file, exit, done }) => (started !== null ? "started" : file !== null ? (file.eof ? `eof ${file.fd}` : `data ${file.fd}`) : exit !== null ? `exit ${exit.code}` : done !== null ? "done" : "?"));

test("a process reads what the client sends and tells what it writes, between its start and its end", async () => {
  await withCalls(async (calls) => {
    await newContainer(calls, [{ dest: "/in", resultId: "made", readonly: true }]);
    const { say, hangUp, over, heard } = talk(calls);
    say(init("p", "cat; cat /in/given; echo bad >&2; exit 3"));
    say({ processId: "p", file: { fd: 0, data: Buffer.from("typed\n") } });
    say({ processId: "p", file: { fd: 0, eof: true } });
    hangUp();
    await over;
    assert.equal(text(heard), "typed\nfrom a result");
    assert.equal(text(heard, 2), "bad\n");
    const order = kinds(heard);
    assert.equal(order[0], "started");
    assert.equal(order.at(-1), "done");
    assert.deepEqual(["eof 1", "eof 2", "exit 3"].filter((kind) => order.includes(kind)).length, 3);
    assert.match(heard.find(({ exit }) => exit !== null)!.exit!.error!.message, /exit code: 3/);
  });
});

test("processes of a container see each other's files, which are gone when it is released", async () => {
  await withCalls(async (calls, { store }) => {
    await newContainer(calls);
    const { say, hangUp, until, over, heard } = talk(calls);
    say(init("one", "echo x > /made; read line; echo $line"));
    await until((so) => so.some(({ started }) => started !== null));
    say(init("two", "until test -s /made; do sleep 0.1; done; cat /made"));
    await until((so) => so.some(({ processId, done }) => processId === "two" && done !== null));
    say({ processId: "one", file: { fd: 0, data: Buffer.from("end\n") } });
    hangUp();
    await over;
    assert.equal(text(heard), "x\nend\n");
    const { data } = await calls.readFileContainer({ ref: "c", filePath: "/made", range: null, mountIndex: 0 });
    assert.equal(Buffer.from(data!).toString(), "x\n");
    const { entries } = await calls.readDirContainer({ ref: "c", dirPath: "/", includePattern: "ma*", mountIndex: 0 });
    assert.deepEqual(entries!.map(({ path }) => Buffer.from(path as Uint8Array).toString()), ["made"]);
    assert.equal((await calls.statFileContainer({ ref: "c", path: "/made", mountIndex: 0 })).stat?.size, 2);
    await calls.releaseContainer("c");
    await assert.rejects(calls.readFileContainer({ ref: "c", filePath: "/made", range: null, mountIndex: 0 }), (error) => hasCode(error, "not_found"));
    for await (const { kind } of store.snapshots.walk()) assert.equal(kind, "committed");
  });
});

test("a process with a terminal has one, of the size that the client says", async () => {
  await withCalls(async (calls) => {
    await newContainer(calls);
    const { say, hangUp, until, over, heard } = talk(calls);
    say(init("p", "trap 'stty size' WINCH; test -t 0 && test -t 2 && echo ready $TERM; until read line; do :; done; echo got $line", { tty: true }));
    await until((so) => text(so).includes("ready xterm"));
    say({ processId: "p", resize: { rows: 33, cols: 101 } });
    await until((so) => text(so).includes("33 101"));
    say({ processId: "p", file: { fd: 0, data: Buffer.from("hello\n") } });
    hangUp();
    await over;
    assert.match(text(heard), /got hello\r\n$/);
    assert.equal(kinds(heard).at(-1), "done");
    assert.ok(kinds(heard).includes("exit 0"));
  });
});

test("a client sends signals to a process", async () => {
  await withCalls(async (calls) => {
    for (const [name, code] of [["TERM", 7], ["KILL", 137]] as const) {
      await newContainer(calls);
      const { say, hangUp, until, over, heard } = talk(calls);
      say(init("p", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done"));
      await until((so) => text(so).includes("ready"));
      say({ processId: "p", signal: { name } });
      hangUp();
      await over;
      assert.ok(kinds(heard).includes(`exit ${code}`), kinds(heard).join());
      await calls.releaseContainer("c");
    }
  });
});

test("processes end with their container, their call and their build", { timeout: 60_000 }, async () => {
  const build = new AbortController();
  await withCalls(async (calls) => {
    const forever = "echo ready; while :; do sleep 0.1; done";
    await newContainer(calls);
    const first = talk(calls);
    first.say(init("p", forever));
    await first.until((so) => text(so).includes("ready"));
    await assert.rejects(calls.releaseContainer("c"), (error) => hasCode(error, "cancelled"));
    await first.until((so) => so.some(({ done }) => done !== null));
    assert.match(first.heard.find(({ exit }) => exit !== null)!.exit!.error!.message, /context canceled/);
    first.hangUp();
    await first.over;
    await newContainer(calls);
    const gone = new AbortController();
    const second = talk(calls, gone.signal);
    second.say(init("p", forever));
    await second.until((so) => text(so).includes("ready"));
    gone.abort();
    await assert.rejects(second.over, (error) => hasCode(error, "cancelled"));
    await calls.releaseContainer("c");
    await newContainer(calls);
    const third = talk(calls);
    third.say(init("p", forever));
    await third.until((so) => text(so).includes("ready"));
    build.abort();
    await assert.rejects(third.over, (error) => hasCode(error, "cancelled"));
  }, build.signal);
});

test("the others of a container are killed when its first process ends", async () => {
  await withCalls(async (calls) => {
    await newContainer(calls);
    const { say, hangUp, until, over, heard } = talk(calls);
    say(init("one", "read line"));
    await until((so) => so.some(({ started }) => started !== null));
    say(init("two", "echo ready; while :; do sleep 0.1; done"));
    await until((so) => text(so).includes("ready"));
    say({ processId: "one", file: { fd: 0, data: Buffer.from("end\n") } });
    hangUp();
    await over;
    assert.equal(heard.find(({ processId, exit }) => processId === "two" && exit !== null)?.exit?.code, 137);
    const late = talk(calls);
    late.say(init("three", "true"));
    late.hangUp();
    await late.over;
    assert.ok(kinds(late.heard).includes("exit 137"), kinds(late.heard).join());
  });
});

test("programs of a container are found without a PATH, that of its platform", async () => {
  await withCalls(async (calls) => {
    for (const [os, path] of [["linux", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], ["windows", "c:\\Windows\\System32;c:\\Windows;"]] as const) {
      await newContainer(calls, [], { platform: { os, architecture: "amd64" } });
      const { say, hangUp, over, heard } = talk(calls);
      say(init("p", "/bin/echo $PATH", { meta: { ...meta("echo $PATH"), env: [], args: ["/bin/sh", "-c", "echo $PATH"] } }));
      hangUp();
      await over;
      assert.ok(text(heard).startsWith(path), text(heard));
      await calls.releaseContainer("c");
    }
  });
});

test("what a client may not do with containers is refused", async () => {
  await withCalls(async (calls) => {
    const fails = async (work: Promise<unknown>, code: Parameters<typeof hasCode>[1]) => assert.rejects(work, (error) => hasCode(error, code));
    await fails(newContainer(calls, [], { network: "host" }), "permission_denied");
    await fails(newContainer(calls, [], { mounts: [] }), "invalid_argument");
    await newContainer(calls);
    await fails(newContainer(calls), "already_exists");
    const said = async (...messages: readonly ExecMessageInput[]) => {
      const { say, over } = talk(calls);
      for (const message of messages) say(message);
      await over;
    };
    await fails(said({ init: {} }), "invalid_argument");
    await fails(said({ processId: "p", signal: { name: "TERM" } }), "not_found");
    await fails(said(init("p", "true", { containerId: "other" })), "not_found");
    const refused = async (message: ExecMessageInput) => {
      const { say, hangUp, over, heard } = talk(calls);
      say(message);
      hangUp();
      await over;
      assert.deepEqual(kinds(heard), ["started", "exit 255", "done"]);
      return heard[1]!.exit!.error!.message;
    };
    assert.match(await refused(init("p", "true", { security: 1 })), /security.insecure is not allowed/);
    assert.match(await refused(init("p", "true", { security: 2 })), /invalid security mode/);
    assert.match(await refused(init("p", "true", { meta: { ...meta("true"), user: "nobody-here" } })), /nobody-here/);
    assert.match(await refused(init("p", "true", { secretEnv: [{ id: "s", name: "S", optional: false }] })), /secret s: not found/);
    await fails(said(init("p", "sleep 9"), init("p", "true")), "already_exists");
    await fails(said(init("p", "sleep 9"), { processId: "p", signal: { name: "NONE" } }), "invalid_argument");
  });
});
