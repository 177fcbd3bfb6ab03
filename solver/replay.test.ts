import assert from "node:assert/strict";
import { test } from "node:test";
import { type FlightListener, createReplay } from "./replay.js";

test("add() repeats the last part of a long log", () => {
  const replay = createReplay();
  const chunk = 100_000;
  for (let i = 0; i < 100; i++) replay.listener.log(1, new Uint8Array(chunk).fill(i));
  const heard: number[] = [];
  const log = (_: 1 | 2, bytes: Uint8Array): void => void heard.push(bytes[0] ?? -1);
  replay.add({ log } as FlightListener);
  assert.equal(heard.at(-1), 99);
  assert.ok(heard.length >= 10 && heard.length <= 21, String(heard.length));
  assert.deepEqual(heard, [...heard].sort((a, b) => a - b));
});

test("add() repeats that a status has ended", () => {
  const replay = createReplay();
  replay.listener.status("pull", 3, 3);
  replay.listener.statusDone("pull");
  const heard: string[] = [];
  const to = { status: (id: string) => void heard.push(id), statusDone: (id: string) => void heard.push(`${id} done`) };
  replay.add(to as unknown as FlightListener);
  assert.deepEqual(heard, ["pull", "pull done"]);
});
