import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { dockerCredentials } from "./credentials.js";

test("dockerCredentials() prefers a helper, falls back to auths, and knows Docker Hub's key", async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "tbuild-docker-"));
  const before = process.env["PATH"];
  process.env["PATH"] = `${dir}:${before}`;
  t.after(() => {
    process.env["PATH"] = before;
    rmSync(dir, { recursive: true });
  });
  const helper = path.join(dir, "docker-credential-fake");
  writeFileSync(
    helper,
    `#!/bin/sh\nread key\n[ "$key" = helped.example ] || exit 1\necho '{"Username":"<token>","Secret":"refresh"}'\n`,
  );
  chmodSync(helper, 0o755);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const auths = {
    "https://index.docker.io/v1/": { auth: base64("hub:p:w") },
    "https://other.example/v2/": { auth: base64("o:w") },
    "helped.example": { auth: base64("not:used") },
    "bearer.example": { registrytoken: "direct" },
  };
  writeFileSync(path.join(dir, "config.json"), JSON.stringify({ auths, credsStore: "fake" }));
  const store = dockerCredentials(dir);
  assert.deepEqual(await store.get("registry-1.docker.io"), { kind: "password", username: "hub", password: "p:w" });
  assert.deepEqual(await store.get("other.example"), { kind: "password", username: "o", password: "w" });
  assert.deepEqual(await store.get("helped.example"), { kind: "identity", token: "refresh" });
  assert.deepEqual(await store.get("bearer.example"), { kind: "bearer", token: "direct" });
  assert.equal(await store.get("none.example"), null);
  writeFileSync(path.join(dir, "config.json"), "{ not json, s3cret");
  await assert.rejects(store.get("x"), (error) => hasCode(error, "parse_failed") && !String(error).includes("s3cret"));
});
