import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import { openTunnel } from "../../session/tunnel.js";
import { type Offers, serveSession } from "./serveSession.js";

/** What the caller of `answer` reads until the call ends; rejects when it does not end well. */
async function called(answer: Offers[string]): Promise<readonly string[]> {
  const [near, far] = duplexPair();
  using _ = serveSession(near, { "/a.B/C": answer });
  using tunnel = openTunnel(far);
  const call = tunnel.call("/a.B/C", {});
  const read: string[] = [];
  for await (const messages of call.received) read.push(...messages.map((message) => Buffer.from(message).toString()));
  return read;
}

const part = [Buffer.from("part")];

test("a call that is served ends well when it is whole", async () => {
  assert.deepEqual(await called(async (call) => await call.send(part)), ["part"]);
});

test("a call that is broken off, or whose answer fails, does not end as one that is whole", async () => {
  const cut: Offers[string] = async (call) => {
    await call.send(part);
    call.cancel();
    await assert.rejects(call.send(part));
  };
  await assert.rejects(called(cut), (error) => hasCode(error, "cancelled"));
  const cutFirst: Offers[string] = async (call) => call.cancel();
  await assert.rejects(called(cutFirst), (error) => hasCode(error, "cancelled"));
  const failing: Offers[string] = async (call) => {
    await call.send(part);
    throw new TbuildError("not_found", "No more");
  };
  await assert.rejects(called(failing), (error) => hasCode(error, "not_found"));
});
