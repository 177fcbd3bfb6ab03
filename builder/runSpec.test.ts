import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import { runSpec } from "./runSpec.js";

const place = { id: "tbuild-1", rootfs: "/r", hostname: "h" };
const image = { Entrypoint: ["app", "-v"], Cmd: ["serve"], Env: ["PATH=/bin", "A=image"], WorkingDir: "/srv", User: "www" };

test("runSpec() takes from the image what the request leaves out", () => {
  const { args, env, cwd, user } = runSpec(image, { image: "app" }, place);
  assert.deepEqual([args, env, cwd, user], [["app", "-v", "serve"], ["PATH=/bin", "HOSTNAME=h", "A=image"], "/srv", "www"]);
  assert.deepEqual(runSpec({ Cmd: ["sh"] }, { image: "app" }, place).env, ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=h"]);
  assert.equal(runSpec({ Cmd: ["sh"] }, { image: "app" }, place).cwd, "/");
});

test("runSpec() replaces arguments, and with another entry point the image's arguments too", () => {
  const args = (request: object) => runSpec(image, { image: "app", ...request }, place).args;
  assert.deepEqual(args({ command: ["x"] }), ["app", "-v", "x"]);
  assert.deepEqual(args({ entrypoint: ["sh"] }), ["sh"]);
  assert.deepEqual(args({ entrypoint: ["sh"], command: ["-c", "x"] }), ["sh", "-c", "x"]);
  assert.deepEqual(args({ entrypoint: [], command: ["x"] }), ["x"]);
  assert.throws(() => args({ entrypoint: [] }), (error) => hasCode(error, "invalid_argument"));
});

test("runSpec() sets the variables of the request over those of the image", () => {
  const { env } = runSpec(image, { image: "app", env: ["A=own", "B=1"], terminal: true }, place);
  assert.deepEqual(env, ["PATH=/bin", "HOSTNAME=h", "TERM=xterm", "A=own", "B=1"]);
});
