// The other process of lmdb.test.ts: node lmdbPeer.js FILE PUTS [ADDITIONS [OPENINGS]]. Opens and closes, then puts, then adds.
// Sends each key after its put was acknowledged.
import { openMeta } from "./lmdb.js";

const [file = "", puts = "0", additions = "0", openings = "0"] = process.argv.slice(2);
for (let i = 0; i < Number(openings); i++) await (await openMeta(file))[Symbol.asyncDispose]();
await using meta = await openMeta(file);
for (let i = 0; i < Number(puts); i++) {
  await meta.contentKeys.put(`peer-${i}`, "from the peer");
  process.send?.(`peer-${i}`);
}
for (let i = 0; i < Number(additions); i++) {
  await meta.transaction((tx) => tx.contentKeys.put("sum", String(Number(tx.contentKeys.get("sum") ?? 0) + 1)));
}
process.disconnect?.();
