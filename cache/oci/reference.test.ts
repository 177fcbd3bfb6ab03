import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../errors.js";
import { familiarReference, formatReference, parseReference, withDefaultTag } from "./reference.js";

const D = `sha256:${"a".repeat(64)}`;
const rows: readonly [string, string, string][] = [
  ["nginx", "docker.io/library/nginx:latest", "nginx:latest"],
  ["nginx:v3", "docker.io/library/nginx:v3", "nginx:v3"],
  ["user/app", "docker.io/user/app:latest", "user/app:latest"],
  ["localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b:1"],
  ["localhost/a", "localhost/a:latest", "localhost/a:latest"],
  ["ghcr.io/x/y_z:T-1", "ghcr.io/x/y_z:T-1", "ghcr.io/x/y_z:T-1"],
  ["index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"],
  [`nginx@${D}`, `docker.io/library/nginx@${D}`, `nginx@${D}`],
  [`nginx:1@${D}`, `docker.io/library/nginx:1@${D}`, `nginx:1@${D}`],
  ["[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"],
];

for (const [text, full, familiar] of rows) {
  test(`parseReference("${text}") is ${full}`, () => {
    const ref = withDefaultTag(parseReference(text));
    assert.equal(formatReference(ref), full);
    assert.equal(familiarReference(ref), familiar);
  });
}

for (const text of ["", "NGINX", "a//b", "a:", "-a", "a@sha256:12", "a b", "x".repeat(300), "http://a/b"]) {
  test(`parseReference("${text.slice(0, 20)}") is refused`, () => {
    assert.throws(() => parseReference(text), (error) => hasCode(error, "invalid_reference") || hasCode(error, "invalid_digest"));
  });
}
