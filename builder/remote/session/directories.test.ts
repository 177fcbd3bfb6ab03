import assert from "node:assert/strict";
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { duplexPair } from "node:stream";
import { after, test } from "node:test";
import { createPool } from "../../../cache/bulk/pool.js";
import { hasCode, type ErrorCode } from "../../../cache/errors.js";
import { tempDir } from "../../../cache/testing/tempDir.js";
import { packet, syncFiles } from "../../api/sessionFiles.js";
import { openSession, type Session } from "../../session/session.js";
import { syncDirectory, type SyncRequest } from "../../session/fileSync.js";
import { directoryOffers, type OfferedDirectory, someFiles } from "./directories.js";
import { serveSession } from "./serveSession.js";

const dir = await tempDir();
const pool = createPool();
after(async () => {
  await pool[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});
const context = path.join(dir.path, "context");
mkdirSync(path.join(context, "sub/deep"), { recursive: true });
for (const [name, text] of [["a.txt", "a"], [".env", "key"], ["sub/b", "b"], ["sub/deep/c", "c"]] as const) writeFileSync(path.join(context, name), text);
symlinkSync("sub/deep", path.join(context, "link"));
symlinkSync("../../../../etc", path.join(context, "out"));
linkSync(path.join(context, "a.txt"), path.join(context, "z"));

const methods = new Set([syncFiles.path.toLowerCase()]);
const health = { intervalMs: 3_600_000, timeoutMs: 1, failures: 1 };

/** A builder with a session to a client that offers these directories. */
async function withBuilder(offered: Readonly<Record<string, OfferedDirectory>>, body: (session: Session) => Promise<void>): Promise<void> {
  const [near, far] = duplexPair();
  using _ = serveSession(near, directoryOffers(new Map(Object.entries(offered)), pool));
  const session = openSession(far, { id: "one", name: "", sharedKey: "key", methods, health });
  try {
    await body(session);
  } finally {
    session.close();
  }
}

const everything: SyncRequest = { name: "context", sharedKeyHint: "", exclude: [], include: [], followPaths: [], differ: "none" };
let stores = 0;

/** Names and texts of what a builder gets. */
async function gets(session: Session, request: Partial<SyncRequest>): Promise<Readonly<Record<string, string>>> {
  const root = path.join(dir.path, `store${stores++}`);
  using directory = await syncDirectory(session, { ...everything, ...request }, { root, pool }, {});
  const files = await pool.run("listTree", { path: directory.path, xattrs: false });
  const shown = (name: string, link: string): string => (link === "" ? readFileSync(path.join(directory.path, name), "utf8") : `-> ${link}`);
  return Object.fromEntries(files.flatMap(({ path: name, mode, link }) => ((mode & 0o170000) === 0o040000 ? [] : [[name, shown(name, link)]])));
}

test("directoryOffers() gives what is asked for, and nothing that is ignored", async () => {
  await withBuilder({ context: { path: context, ignore: [".env"] } }, async (session) => {
    assert.deepEqual(await gets(session, {}), { "a.txt": "a", link: "-> sub/deep", out: "-> ../../../../etc", "sub/b": "b", "sub/deep/c": "c", z: "-> a.txt" });
    assert.deepEqual(await gets(session, { include: [".env", "sub"], exclude: ["sub/b"] }), { "sub/deep/c": "c" });
    assert.deepEqual(await gets(session, { include: ["!x", "**/.env"], followPaths: [".env"] }), {});
  });
});

test("directoryOffers() follows links on the way to paths, and none out of the directory", async () => {
  await withBuilder({ context: { path: context, ignore: [] } }, async (session) => {
    assert.deepEqual(await gets(session, { followPaths: ["link/c"] }), { link: "-> sub/deep", "sub/deep/c": "c" });
    assert.deepEqual(await gets(session, { followPaths: ["l*"] }), { link: "-> sub/deep", "sub/deep/c": "c" });
    assert.deepEqual(await gets(session, { followPaths: ["out/passwd"] }), { out: "-> ../../../../etc" });
    assert.deepEqual(await gets(session, { followPaths: ["../../etc/passwd"] }), {});
  });
});

test("someFiles() offers these files alone, and what they are links to", async () => {
  symlinkSync("../a.txt", path.join(context, "sub/Linked"));
  await withBuilder({ dockerfile: someFiles(context, ["a.txt", "none"]), linked: someFiles(context, ["sub/Linked"]) }, async (session) => {
    assert.deepEqual(await gets(session, { name: "dockerfile" }), { "a.txt": "a" });
    assert.deepEqual(await gets(session, { name: "dockerfile", followPaths: ["sub/b"] }), {});
    assert.deepEqual(await gets(session, { name: "linked" }), { "a.txt": "a", "sub/Linked": "-> ../a.txt" });
  });
});

const lies: readonly (readonly [name: string, packets: readonly Parameters<typeof packet.encode>[0][], code: ErrorCode])[] = [
  ["asks for a file that was not listed", [{ type: "request", id: 99 }], "unavailable"],
  ["asks for a link", [{ type: "request", id: 0 }], "unavailable"],
  ["sends a list of its own", [{ type: "stat", stat: { path: Buffer.from("x") } }], "unavailable"],
];

for (const [name, packets, code] of lies) {
  test(`directoryOffers() gives nothing to a builder that ${name}`, async () => {
    await withBuilder({ context: { path: context, ignore: ["*", "!link"] } }, async (session) => {
      const call = session.call(syncFiles.path, { metadata: { "dir-name": "context" } });
      await call.send(packets.map((one) => packet.encode(one)));
      const told: string[] = [];
      const ended = await (async () => {
        for await (const messages of call.received) for (const message of messages) told.push(packet.decode(message).type);
      })().then(() => null, (error: unknown) => error);
      assert.ok(ended !== null && (hasCode(ended, code) || hasCode(ended, "corrupt") || hasCode(ended, "cancelled")), String(ended));
      assert.equal(told.includes("data"), false);
    });
  });
}

test("directoryOffers() has no other directory than those that are named", async () => {
  await withBuilder({ context: { path: context, ignore: [] } }, async (session) => {
    await assert.rejects(gets(session, { name: "/etc" }), (error) => hasCode(error, "not_found"));
  });
});
