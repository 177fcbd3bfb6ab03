import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { tempDir } from "../../cache/testing/tempDir.js";
import { answers, messagesOf, type Offers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { bytesMessage, checkAgent, forwardAgent } from "../api/session.js";
import { findAgents } from "./ssh.js";

const has = (...ids: readonly string[]): Offers =>
  answers(checkAgent, ({ id }) => (ids.includes(id) ? {} : Promise.reject(status(2, `unset ssh forward key ${id}`))));

/** Says who it is, then repeats what it hears until it hears no more, then says goodbye. */
const echo: Offers = {
  async [forwardAgent.path](call) {
    call.write(Buffer.from(bytesMessage.encode({ data: Buffer.from(`${String(call.metadata.get("buildkit.ssh.id")[0])}:`) })));
    for await (const bytes of messagesOf(call)) call.write(bytes);
    call.write(Buffer.from(bytesMessage.encode({ data: Buffer.from(":bye") })));
  },
};

async function talk(socket: string, text: string): Promise<string> {
  const connection = net.connect({ path: socket, allowHalfOpen: true });
  connection.end(text);
  let heard = "";
  for await (const chunk of connection) heard += String(chunk);
  return heard;
}

test("findAgents() passes connections on to the agent of the client, many at once", async () => {
  await using dir = await tempDir();
  await withSession({ ...has("default", "work"), ...echo }, async (session) => {
    const agents = await findAgents(session, ["", "work", "none"], {});
    assert.deepEqual([agents.has("default"), agents.has(""), agents.has("work"), agents.has("none")], [true, true, true, false]);
    assert.equal(await agents.open("none", { path: path.join(dir.path, "n"), uid: 0, gid: 0, mode: 0o600 }), null);
    const file = { path: path.join(dir.path, "s"), uid: 3, gid: 4, mode: 0o640 };
    {
      await using socket = await agents.open("work", file);
      assert.ok(socket !== null);
      const { uid, gid, mode } = statSync(socket.path);
      assert.deepEqual([uid, gid, mode & 0o777], [3, 4, 0o640]);
      const large = "x".repeat(500_000);
      const [short, long] = await Promise.all([talk(file.path, "a"), talk(file.path, large)]);
      assert.equal(short, "work:a:bye");
      assert.ok(long === `work:${large}:bye`, `${long.length} bytes`);
    }
    assert.equal(existsSync(file.path), false);
  });
});

test("an agent's connections end when the client refuses them, or vanishes", async () => {
  await using dir = await tempDir();
  const file = { path: path.join(dir.path, "s"), uid: 0, gid: 0, mode: 0o600 };
  await withSession({ ...has("default"), [forwardAgent.path]: () => Promise.reject(status(2, "no agent")) }, async (session) => {
    await using socket = await (await findAgents(session, ["default"], {})).open("default", file);
    assert.ok(socket !== null);
    const connection = net.connect(socket.path);
    connection.on("error", () => {});
    await once(connection, "close");
  });
  const stuck: Offers = { [forwardAgent.path]: (call) => new Promise<void>((done) => call.on("cancelled", done)) };
  await withSession({ ...has("default"), ...stuck }, async (session, vanish) => {
    await using socket = await (await findAgents(session, ["default"], {})).open("default", file);
    assert.ok(socket !== null);
    const connection = net.connect(socket.path);
    connection.on("error", () => {});
    connection.write("hello");
    setTimeout(vanish, 30);
    await once(connection, "close");
  });
});

test("findAgents() finds none at a client that offers none", async () => {
  assert.equal((await withSession({}, (session) => findAgents(session, ["default"], {}))).has("default"), false);
});
