import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../cache/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { writeContext } from "../../fixtures/testBuilder.js";
import { apk } from "./apk.js";
import { dpkg } from "./dpkg.js";
import { golang } from "./golang.js";
import { npm } from "./npm.js";
import type { Cataloguer } from "./package.js";
import { python } from "./python.js";
import { scanTree } from "./scanTree.js";
import { spdxDocument } from "./spdx.js";

const STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nSource: bash-src (5.2-1)\nVersion: 1:5.2-1+b1\nDescription: shell\n of shells\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

const cases: readonly (readonly [string, Cataloguer, string, string, readonly string[]])[] = [
  ["dpkg", dpkg("debian"), "var/lib/dpkg/status", STATUS, ["pkg:deb/debian/bash@1:5.2-1%2Bb1?arch=amd64&upstream=bash-src%405.2-1"]],
  ["distroless", dpkg("debian"), "var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n", ["pkg:deb/debian/tzdata@2024a?arch=all"]],
  ["apk", apk("alpine"), "lib/apk/db/installed", "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nF:lib\nR:x\n\nP:half\n\n", ["pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64"]],
  ["npm", npm, "app/node_modules/@a/b/package.json", '{"name":"@a/b","version":"2.0.0"}', ["pkg:npm/%40a/b@2.0.0"]],
  ["npm test data", npm, "app/node_modules/x/package.json", "{not json", []],
  ["lock file", npm, "package-lock.json", '{"packages":{"":{"name":"p","version":"1.0.0"},"node_modules/a":{"version":"1.1.0"},"node_modules/l":{"link":true},"x":null}}', ["pkg:npm/p@1.0.0", "pkg:npm/a@1.1.0"]],
  ["python", python, "usr/lib/python3/dist-packages/Foo_Bar-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n\nName: body\n", ["pkg:pypi/foo-bar@1.0"]],
  ["go.mod", golang, "src/go.mod", "module m\nrequire a.example/x v1.2.3 // indirect\nrequire (\n\tb.example/y/v2 v2.0.0\n)\nreplace c => d v1\n", ["pkg:golang/a.example/x@v1.2.3", "pkg:golang/b.example/y/v2@v2.0.0"]],
];
for (const [title, cataloguer, path, text, purls] of cases) {
  test(`the cataloguer of ${title} finds ${purls.length} packages`, () => {
    assert.ok(cataloguer.wants(path));
    assert.deepEqual(cataloguer.read(path, text).map(({ purl }) => purl), purls);
  });
}

test("cataloguers leave files alone that only look like theirs", () => {
  const others = ["backup/var/lib/dpkg/status", "var/lib/dpkg/status.d/x.md5sums", "app/node_modules/a/test/package.json", "app/node_modules/a/package-lock.json", "app/package.json", "METADATA", "go.mod.bak", "x/lib/apk/db/installed"];
  for (const path of others) for (const [title, { wants }] of cases) assert.equal(wants(path), false, `${title}: ${path}`);
});

interface Document {
  readonly comment: string;
  readonly packages: readonly { readonly SPDXID: string }[];
  readonly creationInfo: object;
  readonly relationships: readonly object[];
}

test("scanTree() reads a tree, and spdxDocument() tells it in the same bytes each time", async () => {
  await using dir = await tempDir();
  await using store = await openStore({ root: `${dir.path}/store` });
  const root = writeContext(`${dir.path}/tree`, {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
    "var/lib/dpkg/status": STATUS,
    "var/lib/rpm/rpmdb.sqlite": "SQLite format 3",
    "app/node_modules/a/package.json": '{"name":"a","version":"1.0.0","license":"MIT"}',
    "app/node_modules/b/node_modules/a/package.json": '{"name":"a","version":"1.0.0"}',
  });
  const scan = await scanTree(store, root, {});
  assert.deepEqual(scan.packages.map(({ name }) => name), ["bash", "a"]);
  assert.deepEqual([scan.distro, scan.system, scan.notRead], ["debian-12", "Debian 12", ["/var/lib/rpm/rpmdb.sqlite"]]);
  assert.deepEqual(scan.files.map(({ path }) => path), ["/app/node_modules/a/package.json", "/app/node_modules/b/node_modules/a/package.json", "/var/lib/dpkg/status"]);
  const document = () => JSON.stringify(spdxDocument(scan, { name: "sbom", created: 86_400 }));
  assert.equal(document(), document());
  const { comment, packages, creationInfo, relationships } = JSON.parse(document()) as Document;
  assert.match(comment, /Not read: \/var\/lib\/rpm\/rpmdb\.sqlite/);
  assert.deepEqual(creationInfo, { created: "1970-01-02T00:00:00Z", creators: ["Tool: tbuild"] });
  assert.equal(new Set(packages.map(({ SPDXID }) => SPDXID)).size, 3);
  assert.equal(relationships.length, 1 + 2 + 2);
});
