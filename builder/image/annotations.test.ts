import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { type Annotated, annotationAttribute, annotationsOf, checkAnnotations, parseAnnotation } from "./annotations.js";

const arm64 = parsePlatform("linux/arm64");
const amd64 = parsePlatform("linux/amd64");
const parse = (attributes: Readonly<Record<string, string>>) => Object.entries(attributes).map(([key, value]) => parseAnnotation(key, value)!);

test("parseAnnotation() reads kinds and platforms, and annotationAttribute() writes them", () => {
  assert.deepEqual(parseAnnotation("annotation.org.a/B", "v"), { kind: "manifest", platform: null, key: "org.a/B", value: "v" });
  const full = { kind: "manifest-descriptor", platform: arm64, key: "k.[x]", value: "" } as const;
  assert.deepEqual(parseAnnotation("annotation-manifest-descriptor[linux/arm64].k.[x]", ""), full);
  assert.deepEqual(parseAnnotation(annotationAttribute(full), ""), full);
  assert.equal(parseAnnotation("annotations", ""), null);
  assert.equal(parseAnnotation("annotation.", ""), null);
  assert.throws(() => parseAnnotation("annotation-layer.k", ""), (error) => hasCode(error, "invalid_argument"));
});

test("annotationsOf() puts a platform's own before those of all, whatever their order", () => {
  const annotations = parse({
    "annotation[linux/arm64].a": "arm", "annotation.a": "all", "annotation.b": "all", "annotation-index.i": "1", "annotation-index[linux/arm64].j": "2",
  });
  assert.deepEqual(annotationsOf(annotations, "manifest", arm64), { a: "arm", b: "all" });
  assert.deepEqual(annotationsOf(annotations, "manifest", amd64), { a: "all", b: "all" });
  assert.deepEqual(annotationsOf(annotations, "index", null), { i: "1", j: "2" });
  assert.equal(annotationsOf(annotations, "index-descriptor", null), undefined);
});

const several: Annotated = { platforms: [amd64, arm64], root: "index", flavour: "oci" };
const refused: readonly (readonly [string, Annotated, RegExp])[] = [
  ["annotation-index.k", { ...several, root: "manifest" }, /^Cannot set the index annotation "k": an image of one platform has no index$/],
  ["annotation-index-descriptor.k", { ...several, root: "manifest" }, /has no index$/],
  ["annotation[linux/s390x].k", several, /nothing is built for linux\/s390x$/],
  ["annotation-manifest-descriptor.k", { ...several, flavour: "docker" }, /oci-mediatypes=false/],
];

for (const [attribute, image, message] of refused) {
  test(`checkAnnotations() refuses ${attribute} where it has no place (${image.root}, ${image.flavour})`, () => {
    assert.throws(() => checkAnnotations(parse({ [attribute]: "v" }), image), { code: "invalid_argument", message });
  });
}

test("checkAnnotations() lets all kinds pass for an index", () => {
  checkAnnotations(parse({ "annotation-index.a": "", "annotation-index-descriptor.a": "", "annotation[linux/arm64].a": "", "annotation-manifest-descriptor.a": "" }), several);
});
