import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultCopy, exec, file, type Node, source } from "../../solver/llb/state.js";
import { opJson } from "./opJson.js";

const json = ({ body, platform }: Node) => opJson({ inputs: [], constraints: null, body, platform });
const base = source("docker-image://docker.io/library/a:1", { "local.session": "s", "x": "y" }, { platform: { os: "linux", architecture: "arm", variant: "v7" } });

test("opJson() writes a source without what is a session's", () => {
  assert.deepEqual(json(base.node), {
    Op: { source: { identifier: "docker-image://docker.io/library/a:1", attrs: { x: "y" } } },
    platform: { Architecture: "arm", OS: "linux", Variant: "v7" },
  });
});

test("opJson() writes a process with its mounts, and hides proxies", () => {
  const proxyEnv = { http: "http://u:p@proxy", https: "", ftp: "", no: "x", all: "" };
  const key = { id: "s", uid: 0, gid: 0, mode: 0o400, optional: true };
  const step = exec({ meta: { args: ["sh"], proxyEnv }, network: "none", mounts: [{ dest: "/", from: base, keep: true }, { dest: "/s", type: { kind: "secret", ...key } }] });
  assert.deepEqual(json(step), {
    Op: {
      exec: {
        meta: { args: ["sh"], cwd: "/", proxy_env: { http_proxy: "***", no_proxy: "x" }, removeMountStubsRecursive: true },
        mounts: [{ dest: "/" }, { input: -1, dest: "/s", output: -1, mountType: 1, secretOpt: { ID: "s", mode: 256, optional: true } }],
        network: 2,
      },
    },
  });
});

test("opJson() writes file actions by the names of the wire", () => {
  const owner = { user: { name: "u", input: 0 }, group: { id: 5 } };
  const made = file(base, [
    { action: { ...defaultCopy, src: "/a", dest: "/b", owner, includePatterns: ["*.c"], attemptUnpack: true }, from: base },
    { action: { kind: "mkfile", path: "/f", mode: 0o644, data: Buffer.from("hi"), owner: null, timestamp: 5n } },
  ]);
  assert.deepEqual(json(made.node), {
    Op: {
      file: {
        actions: [
          { input: 0, secondaryInput: 0, output: -1, Action: { copy: { src: "/a", dest: "/b", owner: { user: { User: { byName: { name: "u" } } }, group: { User: { byId: 5 } } }, mode: -1, timestamp: -1, include_patterns: ["*.c"], attemptUnpackDockerCompatibility: true } } },
          { input: 1, secondaryInput: -1, output: 0, Action: { mkfile: { path: "/f", mode: 420, data: "aGk=", timestamp: 5 } } },
        ],
      },
    },
  });
});
