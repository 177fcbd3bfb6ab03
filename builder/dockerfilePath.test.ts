import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { writeContext } from "../fixtures/testBuilder.js";
import { dockerfilePath } from "./dockerfilePath.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-dockerfile-"));
after(() => rmSync(dir, { recursive: true }));

test("dockerfilePath() prefers Dockerfile, then dockerfile, then Containerfile", () => {
  const context = writeContext(path.join(dir, "names"), { Containerfile: "" });
  assert.equal(dockerfilePath(context, undefined), path.join(context, "Containerfile"));
  writeContext(context, { dockerfile: "" });
  assert.equal(dockerfilePath(context, undefined), path.join(context, "dockerfile"));
  writeContext(context, { Dockerfile: "" });
  assert.equal(dockerfilePath(context, undefined), path.join(context, "Dockerfile"));
});

test("dockerfilePath() takes a file outside of the context", () => {
  const context = writeContext(path.join(dir, "context"), {});
  writeContext(dir, { "outside/My.Dockerfile": "" });
  const file = path.join(dir, "outside", "My.Dockerfile");
  assert.equal(dockerfilePath(context, path.relative(process.cwd(), file)), file);
});

test("dockerfilePath() names what is called alike, but nothing hidden or installed", () => {
  const files = { "build/Dockerfile.dev": "", "Dockerfile.dockerignore": "", ".git/Dockerfile": "", "node_modules/x/Dockerfile": "" };
  const context = writeContext(path.join(dir, "alike"), files);
  const hint = `Did you mean -f ${path.relative(process.cwd(), path.join(context, "build/Dockerfile.dev"))}?`;
  const expected = hint.includes("-f ../") ? `Did you mean -f ${path.join(context, "build/Dockerfile.dev")}?` : hint;
  assert.throws(() => dockerfilePath(context, undefined), { code: "not_found", hint: expected });
});
