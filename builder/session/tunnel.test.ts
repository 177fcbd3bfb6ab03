import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import http2 from "node:http2";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { hasCode, TbuildError } from "../../cache/errors.js";
import { answers, type ClientCall, messagesOf, type Offers, sessionClient, status } from "../../fixtures/sessionClient.js";
import { checkHealth, getSecret } from "../api/session.js";
import { bufferedPipe } from "./bufferedPipe.js";
import { ask } from "./calls.js";
import { callStatusOf } from "./callStatus.js";
import { openTunnel, type Tunnel } from "./tunnel.js";

async function withTunnel(offers: Offers, body: (tunnel: Tunnel, vanish: () => void) => Promise<void>): Promise<void> {
  await using client = sessionClient(offers);
  using tunnel = openTunnel(client.pipe);
  await body(tunnel, () => client.vanish());
}

async function read(received: AsyncIterable<readonly Uint8Array[]>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const messages of received) all.push(...messages);
  return all;
}

test("ask() gives the answer, and sends metadata with lists", async () => {
  const seen: unknown[] = [];
  const offers = answers(getSecret, ({ id }, metadata) => {
    seen.push(metadata.get("exclude-patterns"), metadata.get("dir-name"));
    return { data: Buffer.from(`value of ${id}`) };
  });
  await withTunnel(offers, async (tunnel) => {
    const metadata = { "dir-name": "context", "exclude-patterns": ["a, b", "!c"] };
    const answer = await ask(tunnel, getSecret, { id: "x" }, { metadata });
    assert.equal(Buffer.from(answer.data).toString(), "value of x");
    // Node's server joins what came as several headers.
    assert.deepEqual(seen, [["a, b, !c"], ["context"]]);
  });
});

test("ask() sends lists of metadata as headers of their own, also more than 64 KiB", async () => {
  const patterns = Array.from({ length: 5_000 }, (_, i) => `some/folder/with/a/name/${i}/**`);
  const [pipe, other] = duplexPair();
  const server = http2.createServer({ maxSessionMemory: 1_000, maxHeaderListPairs: 100_000, settings: { maxHeaderListSize: 16 << 20 } } as http2.ServerOptions);
  const seen = new Promise<readonly string[]>((done) => {
    server.on("stream", (...[, , , raw]: readonly unknown[]) => done(raw as string[]));
  });
  server.emit("connection", bufferedPipe(other, 1 << 20));
  using tunnel = openTunnel(pipe);
  const asked = ask(tunnel, getSecret, {}, { metadata: { "exclude-patterns": patterns } }).catch(() => {});
  const raw = await seen;
  assert.deepEqual(raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === "exclude-patterns"), patterns);
  tunnel[Symbol.dispose]();
  await asked;
});

const statuses = [
  [5, "not_found"],
  [6, "already_exists"],
  [12, "unsupported"],
  [2, "unavailable"],
  [7, "permission_denied"],
] as const;

for (const [code, expected] of statuses) {
  test(`ask() fails with ${expected} when the client's status is ${code}`, async () => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from([1, 2, 250]));
    await withTunnel({ [getSecret.path]: () => Promise.reject(status(code, "größer, 100%", metadata)) }, async (tunnel) => {
      const error = await ask(tunnel, getSecret, { id: "x" }, {}).catch((e: unknown) => e);
      assert.ok(hasCode(error, expected), String(error));
      assert.match((error as Error).message, /größer, 100%$/);
      const found = callStatusOf(error);
      assert.equal(found?.code, code);
      assert.deepEqual([...(found?.details ?? [])], [1, 2, 250]);
    });
  });
}

test("ask() fails with unsupported for a method that the client does not have", async () => {
  await withTunnel(answers(checkHealth, () => ({ status: 1 })), async (tunnel) => {
    await assert.rejects(ask(tunnel, getSecret, {}, {}), (error) => hasCode(error, "unsupported"));
  });
});

test("ask() gives up after its time, and the client is told", async () => {
  let ended = () => {};
  const told = new Promise<void>((done) => (ended = done));
  const stuck = async (call: ClientCall) => {
    call.on("cancelled", ended);
    await told;
  };
  await withTunnel({ [getSecret.path]: stuck }, async (tunnel) => {
    await assert.rejects(ask(tunnel, getSecret, {}, { timeoutMs: 50 }), (error) => hasCode(error, "unavailable"));
    await told;
  });
});

test("ask() fails with cancelled when its signal is, and the tunnel still works", async () => {
  const offers = {
    ...answers(checkHealth, () => ({ status: 1 })),
    [getSecret.path]: (call: ClientCall) => new Promise<void>((done) => call.on("cancelled", done)),
  };
  await withTunnel(offers, async (tunnel) => {
    const controller = new AbortController();
    const asked = ask(tunnel, getSecret, {}, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await assert.rejects(asked, (error) => hasCode(error, "cancelled"));
    assert.equal((await ask(tunnel, checkHealth, {}, {})).status, 1);
  });
});

test("call() carries messages of all sizes in both directions at once", async () => {
  const echo = async (call: ClientCall) => {
    for await (const bytes of messagesOf(call)) if (!call.write(bytes)) await new Promise((done) => call.once("drain", done));
  };
  await withTunnel({ "/test.Echo/Echo": echo }, async (tunnel) => {
    const sent = [0, 1, 5, 16_384, 70_000, 3_000_000, 4_000_000].map((size) => new Uint8Array(size).fill(size % 251));
    const call = tunnel.call("/test.Echo/Echo", {});
    const received = read(call.received);
    for (const message of sent) await call.send([message]);
    await call.send(sent.slice(0, 3));
    call.finish();
    const got = await received;
    assert.deepEqual(got.map((m) => [m.length, m[0]]), [...sent, ...sent.slice(0, 3)].map((m) => [m.length, m[0]]));
  });
});

test("send() waits while the client does not read", async () => {
  let resume = () => {};
  const resumed = new Promise<void>((done) => (resume = done));
  const slow = async (call: ClientCall) => {
    await resumed;
    for await (const _ of messagesOf(call));
  };
  await withTunnel({ "/test.Slow/Slow": slow }, async (tunnel) => {
    const call = tunnel.call("/test.Slow/Slow", {});
    const piece = new Uint8Array(1 << 20);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 40; sent++) await call.send([piece]);
    })();
    await delay(200);
    assert.ok(sent < 20, `${sent} MiB were taken`);
    resume();
    await sending;
    call.finish();
    assert.deepEqual(await read(call.received), []);
  });
});

test("a call that nobody reads holds up no other", async () => {
  const flood = async (call: ClientCall) => {
    const piece = Buffer.alloc(1 << 20);
    for (let i = 0; i < 64 && !call.cancelled; i++) {
      if (!call.write(piece)) await new Promise<void>((done) => call.once("drain", done).once("cancelled", done));
    }
  };
  await withTunnel({ "/test.Flood/Flood": flood, ...answers(checkHealth, () => ({ status: 1 })) }, async (tunnel) => {
    const calls = [1, 2, 3].map(() => tunnel.call("/test.Flood/Flood", {}));
    await delay(100);
    assert.equal((await ask(tunnel, checkHealth, {}, { timeoutMs: 10_000 })).status, 1);
    for (const call of calls) call.cancel();
  });
});

test("send() fails with the status of a client that has ended the call", async () => {
  const refuse = () => Promise.reject(status(6, "target already exists"));
  await withTunnel({ "/test.Refuse/Refuse": refuse }, async (tunnel) => {
    const call = tunnel.call("/test.Refuse/Refuse", {});
    const piece = new Uint8Array(1 << 20);
    const sending = (async () => {
      for (let i = 0; i < 1_000; i++) await call.send([piece]);
    })();
    await assert.rejects(sending, (error) => hasCode(error, "already_exists"));
    call.cancel();
  });
});

test("openTunnel() breaks off every call when the client vanishes", async () => {
  const stuck = (call: ClientCall) => new Promise<void>((done) => call.on("cancelled", done));
  await withTunnel({ [getSecret.path]: stuck }, async (tunnel, vanish) => {
    const asked = [1, 2].map(() => ask(tunnel, getSecret, {}, {}));
    setTimeout(vanish, 20);
    for (const one of asked) await assert.rejects(one, (error) => hasCode(error, "unavailable"));
    assert.equal(tunnel.closed.aborted, true);
    assert.throws(() => tunnel.call(getSecret.path, {}), (error) => hasCode(error, "unavailable"));
  });
});

test("close() gives its reason to every call", async () => {
  const stuck = (call: ClientCall) => new Promise<void>((done) => call.on("cancelled", done));
  await withTunnel({ [getSecret.path]: stuck }, async (tunnel) => {
    const asked = ask(tunnel, getSecret, {}, {});
    setTimeout(() => tunnel.close(new TbuildError("unavailable", "Enough")), 20);
    await assert.rejects(asked, { message: "Enough" });
    tunnel.close(new TbuildError("unavailable", "Again"));
    assert.match(String(tunnel.closed.reason), /Enough/);
  });
});

test("openTunnel() closes when the other end speaks no HTTP/2", async () => {
  const [pipe, other] = duplexPair();
  using tunnel = openTunnel(pipe);
  const asked = ask(tunnel, getSecret, {}, {});
  other.write("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(20));
  await assert.rejects(asked, (error) => hasCode(error, "unavailable"));
});

const END_STREAM = 1;
const [DATA, HEADERS, RST_STREAM] = [0, 1, 3];

/** Frames of the first call in what a client of HTTP/2 has sent. Source: RFC 9113, 4.1. */
function framesOf(bytes: Buffer): readonly { readonly type: number; readonly flags: number; readonly body: Buffer }[] {
  const frames: { readonly type: number; readonly flags: number; readonly body: Buffer }[] = [];
  for (let at = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length; at + 9 <= bytes.length; ) {
    const [length, type, flags, stream] = [bytes.readUIntBE(at, 3), bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5)];
    if (stream === 1) frames.push({ type, flags, body: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}

test("a call that is broken off is reset, and never ends as one that is whole", async () => {
  for (const left of ["cancel", "signal", "reading"] as const) {
    const [pipe, other] = duplexPair();
    const sent: Buffer[] = [];
    other.on("data", (chunk: Buffer) => sent.push(chunk));
    const server = http2.createServer();
    const closed = new Promise<void>((done) => {
      server.on("stream", (stream) => {
        stream.respond({ ":status": 200 });
        stream.write(Buffer.from([0, 0, 0, 0, 0]));
        stream.resume().on("error", () => {}).on("close", done);
      });
    });
    server.emit("connection", other);
    using tunnel = openTunnel(pipe);
    const stop = new AbortController();
    const call = tunnel.call("/x.Y/Z", { signal: stop.signal });
    await call.send([Buffer.alloc(100_000)]);
    if (left === "reading") for await (const _ of call.received) break;
    else if (left === "signal") stop.abort();
    else call.cancel();
    await closed;
    const frames = framesOf(Buffer.concat(sent));
    assert.ok(frames.every(({ type, flags }) => (type !== DATA && type !== HEADERS) || (flags & END_STREAM) === 0), left);
    const last = frames.at(-1)!;
    assert.equal(last.type, RST_STREAM, left);
    assert.equal(last.body.readUInt32BE(0), http2.constants.NGHTTP2_CANCEL, left);
  }
});
