import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { checkPassed, parseAddress } from "./address.js";

test("parseAddress() reads unix, tcp and inherited sockets", () => {
  assert.deepEqual(parseAddress("unix:///run/x y.sock"), { kind: "unix", path: "/run/x y.sock" });
  assert.deepEqual(parseAddress("tcp://127.0.0.1:0"), { kind: "tcp", host: "127.0.0.1", port: 0 });
  assert.deepEqual(parseAddress("tcp://[::1]:1234"), { kind: "tcp", host: "::1", port: 1234 });
  assert.deepEqual(parseAddress("tcp://:1234"), { kind: "tcp", host: "", port: 1234 });
  assert.deepEqual(parseAddress("fd://"), { kind: "fd", fd: 3 });
  assert.deepEqual(parseAddress("fd://4"), { kind: "fd", fd: 4 });
});

test("parseAddress() refuses what is none", () => {
  for (const text of ["", "/run/x.sock", "unix://x.sock", "tcp://host", "tcp://host:99999", "fd://x", "http://x:1"]) {
    assert.throws(() => parseAddress(text), (error) => hasCode(error, "invalid_argument"), text);
  }
});

test("checkPassed() takes the sockets that systemd has passed to this process", () => {
  const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: "2" };
  checkPassed(3, env);
  checkPassed(4, env);
  for (const [fd, passed] of [[5, env], [2, env], [3, {}], [3, { ...env, LISTEN_PID: "1" }]] as const) {
    assert.throws(() => checkPassed(fd, passed), (error) => hasCode(error, "unavailable"));
  }
});
