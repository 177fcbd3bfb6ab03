import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "./errors.js";
import { type ImageStore, imageId, imageStore, isDangling } from "./images.js";
import type { ImageManifestRecord } from "./meta/records.js";
import { type Digest, digestOf } from "./oci/digest.js";
import { memoryMeta } from "./snapshot/memoryMeta.js";

const ONE = digestOf("one");
const TWO = digestOf("two");
const manifests = (config: Digest): ImageManifestRecord[] => [
  { platform: { os: "linux", architecture: "amd64" }, config, layers: [] },
];

const names = (images: ImageStore) => images.list().map(({ name }) => name);

test("put() and get() normalise names", async () => {
  const images = imageStore(memoryMeta());
  assert.equal((await images.put("nginx", manifests(ONE))).name, "docker.io/library/nginx:latest");
  assert.equal(images.get("docker.io/nginx:latest")?.manifests[0]?.config, ONE);
  assert.equal(images.get("nginx:other"), null);
  await assert.rejects(async () => images.put("NGINX", manifests(ONE)), (error) => hasCode(error, "invalid_reference"));
});

test("an image whose name moves stays as dangling, until it has a name again", async () => {
  const images = imageStore(memoryMeta());
  await images.put("a", manifests(ONE));
  await images.put("a", manifests(TWO));
  assert.deepEqual(names(images), [`<none>@${ONE}`, "docker.io/library/a:latest"]);
  assert.ok(isDangling(images.resolve(`<none>@${ONE}`)));
  await images.put("b", manifests(ONE));
  assert.deepEqual(names(images), ["docker.io/library/a:latest", "docker.io/library/b:latest"]);
});

test("an image with another name leaves nothing dangling, nor does putting it again", async () => {
  const images = imageStore(memoryMeta());
  await images.put("a", manifests(ONE));
  await images.put("a", manifests(ONE));
  await images.tag("a", "b");
  await images.put("a", manifests(TWO));
  assert.deepEqual(names(images), ["docker.io/library/a:latest", "docker.io/library/b:latest"]);
});

test("byId() finds all names by a prefix of the ID and refuses an ambiguous one", async () => {
  const images = imageStore(memoryMeta());
  await images.put("a", manifests(ONE));
  await images.tag("a", "b");
  await images.put("c", manifests(TWO));
  assert.equal(images.byId(ONE.slice(7, 19)).length, 2);
  assert.equal(images.byId(ONE).length, 2);
  assert.equal(images.resolve(TWO.slice(0, 30)).name, "docker.io/library/c:latest");
  assert.deepEqual(images.byId("zz"), []);
  assert.throws(() => imageStore(ambiguous()).byId("a"), (error) => hasCode(error, "invalid_argument"));
});

function ambiguous() {
  const meta = memoryMeta();
  for (const [name, tail] of [["a", "0"], ["b", "1"]] as const) {
    const config = `sha256:a${tail.repeat(63)}` as Digest;
    void meta.images.put(name, { name, manifests: manifests(config), updatedAt: 0 });
  }
  return meta;
}

test("remove() forgets one name; an unknown one is not_found", async () => {
  const images = imageStore(memoryMeta());
  await images.put("a", manifests(ONE));
  assert.equal(imageId(await images.remove("a")), ONE);
  assert.deepEqual(images.list(), []);
  await assert.rejects(images.remove("a"), (error) => hasCode(error, "not_found"));
  assert.throws(() => images.resolve("a"), (error) => hasCode(error, "not_found"));
});
