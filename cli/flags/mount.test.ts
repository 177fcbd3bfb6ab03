import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseMount, parseVolume } from "./mount.js";

const bind = { kind: "bind", source: "/etc", dest: "/mnt", readonly: false, isFile: false } as const;

test("parseVolume() reads directories, files and modes", () => {
  assert.deepEqual(parseVolume("/etc:/mnt"), bind);
  assert.deepEqual(parseVolume("/etc/passwd:/mnt/../p/:ro"), { ...bind, source: "/etc/passwd", dest: "/p", readonly: true, isFile: true });
  assert.equal(parseVolume("./:/mnt:rw").kind, "bind");
});

test("parseMount() reads binds and tmpfs under all of Docker's names for their keys", () => {
  assert.deepEqual(parseMount("type=bind,source=/etc,target=/mnt"), bind);
  assert.deepEqual(parseMount("type=bind,src=/etc,destination=/mnt,readonly"), { ...bind, readonly: true });
  assert.deepEqual(parseMount("type=bind,src=/etc,dst=/mnt,ro=false"), bind);
  assert.deepEqual(parseMount("type=tmpfs,dst=/t,tmpfs-size=1m"), { kind: "tmpfs", dest: "/t", size: 1 << 20 });
  assert.deepEqual(parseMount("type=tmpfs,dst=/t"), { kind: "tmpfs", dest: "/t", size: null });
});

test("parseVolume() and parseMount() refuse what they do not know", () => {
  for (const text of ["name:/mnt", "/etc", "/etc:mnt", "/etc:/", "/etc:/mnt:z", ":/mnt"]) {
    assert.throws(() => parseVolume(text), (error) => hasCode(error, "usage"), text);
  }
  for (const text of ["src=/etc,dst=/mnt", "type=volume,dst=/mnt", "type=bind,dst=/mnt", "type=bind,src=/etc", "type=bind,from=/etc,dst=/x", "type=tmpfs"]) {
    assert.throws(() => parseMount(text), (error) => hasCode(error, "usage"), text);
  }
  assert.throws(() => parseVolume("/no/such:/mnt"), (error) => hasCode(error, "not_found"));
});
