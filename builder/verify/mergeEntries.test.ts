import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { compareEntries } from "./compareEntries.js";
import { type LayerContent, mergeEntries } from "./mergeEntries.js";
import { entry } from "./entryFixture.js";

/** What both contents do not have in common, a line each. */
function different(image: LayerContent, rebuilt: LayerContent): readonly string[] {
  return compareEntries(image, rebuilt).map(({ path, kind, otherContent, fields }) => [kind, path, ...(otherContent ? ["content"] : []), ...fields.map(({ field }) => field)].join(" "));
}

const file = (name: string, text = name, more = {}) => entry("file", name, { digest: digestOf(text), size: text.length, ...more });

test("mergeEntries() makes nothing of order, spelling and trailing slashes", () => {
  const one = mergeEntries([[entry("dir", "a"), file("a/b"), file("c")]]);
  const other = mergeEntries([[file("./c", "c"), file("/a/b", "a/b"), entry("dir", "./a/")]]);
  assert.deepEqual(different(one, other), []);
  assert.deepEqual([...one.keys()].sort(), ["a", "a/b", "c"]);
});

test("mergeEntries() makes one of a file that upper layers write anew, hide and remove", () => {
  const merged = mergeEntries([[entry("dir", "d"), file("d/x"), file("y"), file("z")], [file("d/x", "new"), file(".wh.y")], [file("d/.wh..wh..opq"), file("d/w")]]);
  const flat = mergeEntries([[entry("dir", "d"), file("d/w"), file("z")]]);
  assert.deepEqual(different(flat, merged), ["only-rebuilt /d/"]);
  assert.deepEqual(different(mergeEntries([[file("z")]]), mergeEntries([[file("z"), file("a")], [file(".wh.a")]])), []);
});

test("mergeEntries() keeps a whiteout of what no layer has made", () => {
  assert.deepEqual(different(mergeEntries([[]]), mergeEntries([[file("bin/.wh.ls")]])), ["only-rebuilt /bin/ls"]);
});

test("mergeEntries() makes nothing of which name of a file has its bytes", () => {
  const link = (name: string, to: string) => entry("link", name, { linkName: to });
  const one = mergeEntries([[file("a", "text"), link("b", "a"), link("c", "b")]]);
  const other = mergeEntries([[file("c", "text"), link("a", "./c"), link("b", "c")]]);
  assert.deepEqual(different(one, other), []);
  const apart = mergeEntries([[file("a", "text"), file("b", "text"), link("c", "a")]]);
  assert.deepEqual(different(one, apart), ["changed /a links", "changed /b links", "changed /c links"]);
});

test("mergeEntries() leaves out what makes a layer an eStargz layer", () => {
  assert.deepEqual([...mergeEntries([[file("a"), file(".no.prefetch.landmark"), file("stargz.index.json")]]).keys()], ["a"]);
});

test("compareEntries() tells content first, then attributes, then times", () => {
  const image = mergeEntries([[file("a", "1", { mtimeNs: 1n }), file("b", "1", { mode: 0o600 }), file("c", "1"), file("d", "1", { xattrs: { "user.x": "1" } })]]);
  const rebuilt = mergeEntries([[file("a", "1"), file("b", "1"), file("c", "2"), file("d", "1", { uid: 5 }), file("e")]]);
  assert.deepEqual(different(image, rebuilt), ["changed /c content", "only-rebuilt /e", "changed /b mode", "changed /d owner xattr user.x", "changed /a mtime"]);
});

test("compareEntries() tells times to the nanosecond, also before 1970", () => {
  const at = (mtimeNs: bigint) => mergeEntries([[file("a", "1", { mtimeNs })]]);
  const [difference] = compareEntries(at(1_600_000_000_000_000_001n), at(-1_500_000_000n));
  assert.deepEqual(difference?.fields, [{ field: "mtime", image: "2020-09-13T12:26:40.000000001Z", rebuilt: "1969-12-31T23:59:58.5Z" }]);
  assert.equal(difference?.timesOnly, true);
});

test("compareEntries() tells types, targets and devices", () => {
  const image = mergeEntries([[file("a"), entry("symlink", "b", { linkName: "x" }), entry("char", "c", { devMajor: 1 })]]);
  const rebuilt = mergeEntries([[entry("dir", "a"), entry("symlink", "b", { linkName: "y" }), entry("char", "c", { devMajor: 2 })]]);
  const fields = compareEntries(image, rebuilt).flatMap((one) => one.fields.map(({ field, image: a, rebuilt: b }) => `${field} ${a} ${b}`));
  assert.deepEqual(fields, ["type file directory", "target x y", "device 1:0 2:0"]);
});
