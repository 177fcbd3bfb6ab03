import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { git, gitDaemon } from "../../fixtures/gitServer.js";
import { registryMissing, startRegistry } from "../../fixtures/registry.js";
import { type TestGraph, withGraphs } from "../../fixtures/testGraph.js";
import { source } from "../../solver/llb/state.js";

let dir: string;
let repo: string;
let first: string;
let head: string;
before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "tbuild-bundle-"));
  repo = path.join(dir, "app.git");
  mkdirSync(repo);
  git(repo, "init", "--quiet", "-b", "main");
  for (const text of ["one", "two"]) {
    writeFileSync(path.join(repo, "file"), text);
    git(repo, "add", ".");
    git(repo, "commit", "-qm", text);
  }
  git(repo, "tag", "-a", "v1", "-m", "v1");
  [first, head] = [git(repo, "rev-parse", "main~1"), git(repo, "rev-parse", "main")];
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** Whatever comes from here comes from a bundle. */
const NOWHERE = "git://nowhere.invalid/app.git";

const repository = (remote: string, ref: string, attrs: Readonly<Record<string, string>>) => source(`${remote}#${ref}`, { "git.fullurl": remote, ...attrs });

/** A directory with one blob, as image layouts have it. */
function layoutOf(bytes: Buffer): { readonly layout: string; readonly digest: Digest } {
  const layout = mkdtempSync(path.join(dir, "layout-"));
  const digest = digestOf(bytes);
  mkdirSync(path.join(layout, "blobs/sha256"), { recursive: true });
  writeFileSync(path.join(layout, "blobs", digest.replace(":", "/")), bytes);
  return { layout, digest };
}

function inLayout(bytes: Buffer): Readonly<Record<string, string>> {
  const { layout, digest } = layoutOf(bytes);
  return { "git.bundle": `oci-layout+blob://not/real@${digest}`, "oci.store": layout };
}

async function bundleOf(ref: string): Promise<Buffer> {
  await using daemon = await gitDaemon(dir);
  let bytes = Buffer.alloc(0);
  await withGraphs(async ({ read }) => {
    bytes = await read(repository(`git://127.0.0.1:${daemon.port}/app.git`, ref, { "git.checkoutbundle": "true" }), (root) => {
      assert.deepEqual(readdirSync(root), ["bundle"]);
      return readFileSync(path.join(root, "bundle"));
    });
  });
  return bytes;
}

const file = (root: string) => readFileSync(path.join(root, "file"), "utf8");
const fileAt = ({ read }: TestGraph, ref: string, attrs: Readonly<Record<string, string>>) => read(repository(NOWHERE, ref, attrs), file);

test("git.checkoutbundle is a bundle with the whole history, and git.bundle checks it out again", async () => {
  const bundle = await bundleOf("main");
  const file = path.join(dir, "main.bundle");
  writeFileSync(file, bundle);
  assert.equal(git(repo, "bundle", "list-heads", file), `${head} refs/heads/main`);
  const attrs = inLayout(bundle);
  await withGraphs(async (graphs) => {
    assert.equal(await fileAt(graphs, "main", { ...attrs, "git.checksum": head }), "two");
    assert.equal(await fileAt(graphs, "", { ...attrs, "git.checksum": head }), "two");
    assert.equal(await fileAt(graphs, first, { ...attrs, "git.checksum": first.slice(0, 12) }), "one");
  });
});

test("a tag keeps its name in a bundle, and is found there by the commit that it is of", async () => {
  const attrs = inLayout(await bundleOf("refs/tags/v1"));
  await withGraphs(async (graphs) => {
    assert.equal(await fileAt(graphs, "v1", { ...attrs, "git.checksum": head }), "two");
    await assert.rejects(fileAt(graphs, "main", { ...attrs, "git.checksum": head }), (error) => hasCode(error, "not_found"));
  });
});

test("git.bundle with git.keepgitdir keeps the branch, and nothing of the bundle's", async () => {
  const attrs = inLayout(await bundleOf("main"));
  await withGraphs(async ({ read }) => {
    await read(repository(NOWHERE, "main", { ...attrs, "git.checksum": head, "git.keepgitdir": "true" }), (root) => {
      assert.equal(git(root, "-c", `safe.directory=${root}`, "rev-parse", "refs/heads/main", "HEAD"), `${head}\n${head}`);
      assert.doesNotMatch(git(root, "-c", `safe.directory=${root}`, "show-ref"), /tbuild/);
    });
  });
});

test("a bundle without the commit, and what is no bundle, are refused", async () => {
  const attrs = inLayout(await bundleOf("main"));
  await withGraphs(async (graphs) => {
    await assert.rejects(fileAt(graphs, "main", { ...attrs, "git.checksum": "0".repeat(40) }), (error) => hasCode(error, "not_found"));
    await assert.rejects(fileAt(graphs, "main", { ...attrs, "git.checksum": first }), (error) => hasCode(error, "digest_mismatch"));
    await assert.rejects(fileAt(graphs, "main", { ...inLayout(Buffer.from("what")), "git.checksum": head }), /Cannot read the Git repository/);
  });
});

for (const [name, ref, attrs] of [
  ["a bundle without a checksum", "main", { "git.bundle": `docker-image+blob://a/b@${digestOf("x")}` }],
  ["half a checksum and no ref", "", { "git.bundle": `docker-image+blob://a/b@${digestOf("x")}`, "git.checksum": "abcdef" }],
  ["a checksum that is an option", "main", { "git.bundle": `docker-image+blob://a/b@${digestOf("x")}`, "git.checksum": "--help" }],
  ["another commit than the checksum says", "a".repeat(40), { "git.bundle": `docker-image+blob://a/b@${digestOf("x")}`, "git.checksum": "b".repeat(40) }],
  ["a bundle that is no blob", "main", { "git.bundle": "https://example.com/bundle", "git.checksum": "a".repeat(40) }],
  ["git.checkoutbundle with git.keepgitdir", "main", { "git.checkoutbundle": "true", "git.keepgitdir": "true" }],
  ["git.checkoutbundle of a directory", "main:dir", { "git.checkoutbundle": "true" }],
] as const) {
  test(`${name} is refused before anybody is asked`, async () => {
    await withGraphs(async (graphs) => {
      await assert.rejects(fileAt(graphs, ref, attrs), (error) => hasCode(error, "invalid_argument"));
    });
  });
}

test("git.bundle comes from a registry", { skip: registryMissing() }, async () => {
  const bytes = await bundleOf("main");
  const digest = digestOf(bytes);
  await using registry = await startRegistry();
  const begun = await fetch(`http://${registry.host}/v2/foo/bundle/blobs/uploads/`, { method: "POST" });
  const stored = await fetch(`${begun.headers.get("location")}&digest=${digest}`, { method: "PUT", body: new Uint8Array(bytes) });
  assert.equal(stored.status, 201);
  const bundle = { "git.bundle": `docker-image+blob://${registry.host}/foo/bundle@${digest}`, "git.checksum": head };
  await withGraphs(async (graphs) => assert.equal(await fileAt(graphs, "main", bundle), "two"));
});
