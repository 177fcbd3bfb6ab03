import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseBuilderAddress } from "./address.js";

test("parseBuilderAddress() reads sockets, hosts and containers", () => {
  assert.deepEqual(parseBuilderAddress("unix:///run/b.sock"), { kind: "unix", path: "/run/b.sock" });
  assert.deepEqual(parseBuilderAddress("tcp://ci:99"), { kind: "tcp", host: "ci", port: 99 });
  assert.deepEqual(parseBuilderAddress("tcp://ci"), { kind: "tcp", host: "ci", port: 1234 });
  assert.deepEqual(parseBuilderAddress("tcp://[::1]:99"), { kind: "tcp", host: "::1", port: 99 });
  assert.deepEqual(parseBuilderAddress("docker-container://buildkitd"), { kind: "program", command: ["docker", "exec", "-i", "buildkitd", "buildctl", "dial-stdio"] });
  assert.deepEqual(parseBuilderAddress("podman-container://b"), { kind: "program", command: ["podman", "exec", "-i", "b", "buildctl", "dial-stdio"] });
});

test("parseBuilderAddress() runs ssh with the user, the port and the socket that are named", () => {
  const command = (text: string): readonly string[] => {
    const address = parseBuilderAddress(text);
    return address.kind === "program" ? address.command : [];
  };
  assert.deepEqual(command("ssh://me@host:22/run/b.sock").slice(0, -1), ["ssh", "-T", "-l", "me", "-p", "22", "--", "host"]);
  assert.match(command("ssh://me@host:22/run/b.sock").at(-1)!, /exec tbuild dial-stdio --addr unix:\/\/\/run\/b\.sock;/);
  assert.deepEqual(command("ssh://host").slice(0, -1), ["ssh", "-T", "--", "host"]);
});

for (const text of ["builder", "unix://relative", "tcp://", "tcp://a:b", "tcp://a:99999", "http://a", "docker-container://-v", "docker-container://a b", "ssh://-oProxyCommand=x", "ssh://me:pw@host", "ssh://a/$(x)", "ssh://me%20x@host"]) {
  test(`parseBuilderAddress() refuses "${text}"`, () => {
    assert.throws(() => parseBuilderAddress(text), (error) => hasCode(error, "usage"));
  });
}
