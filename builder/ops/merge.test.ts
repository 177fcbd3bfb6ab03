import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { BASE, testBuilder, type TestBuilder } from "../../fixtures/testBuilder.js";

/** What a last RUN of the Dockerfile prints. */
async function printed(builder: TestBuilder, dockerfile: string, files: Readonly<Record<string, string>>): Promise<string> {
  const context = builder.context({ Dockerfile: dockerfile, ...files });
  return (await builder.run({ context })).output;
}

async function layersOf(builder: TestBuilder, dockerfile: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { result } = await builder.run({ context: builder.context({ Dockerfile: dockerfile, ...files }) });
  const [record] = builder.builder.store.images.byId(result.imageId!);
  return record!.manifests[0]!.layers.map(({ diffId }) => diffId);
}

test("COPY --link puts files over what is there, merges directories, and does not follow a link at the destination", async () => {
  await using builder = await testBuilder();
  const output = await printed(
    builder,
    [
      `FROM ${BASE}`,
      "RUN mkdir -p /d/old /real && echo base > /d/file && echo kept > /d/old/kept && ln -s /real /linked",
      "COPY --link file /d/file",
      "COPY --link tree /d/old",
      "COPY --link file /linked/x",
      "RUN cat /d/file /d/old/kept /d/old/new /linked/x; ls -A /real; test -L /linked || echo a directory",
    ].join("\n"),
    { file: "link\n", "tree/new": "new\n" },
  );
  assert.equal(output, "link\nkept\nnew\nlink\na directory\n");
});

test("the layer of COPY --link is the same on every base, and stays cached when the base changes", async () => {
  await using builder = await testBuilder();
  const dockerfile = (first: string) => `FROM ${BASE}\nRUN ${first}\nCOPY --link file /app/file\n`;
  const one = await layersOf(builder, dockerfile("echo 1 > /one"), { file: "x" });
  const two = await layersOf(builder, dockerfile("echo 2 > /two; mkdir -p /app/more"), { file: "x" });
  assert.equal(one.at(-1), two.at(-1));
  assert.notEqual(one.at(-2), two.at(-2));
  const { cached } = await builder.run({ context: builder.context({ Dockerfile: dockerfile("echo 3 > /three"), file: "x" }) });
  assert.ok(cached.some((name) => name.includes("COPY --link")), cached.join("; "));
});

test("COPY --link of the same files twice, and a RUN that removes them in between, come out right", async () => {
  await using builder = await testBuilder();
  const lines = [`FROM ${BASE}`, "COPY --link file /f", "RUN rm /f", "COPY --link file /f", "RUN cat /f && echo >> /f && rm /f && ls -A / | grep -c '^f$' || true"];
  assert.equal(await printed(builder, lines.join("\n"), { file: "again\n" }), "again\n0\n");
});

test("a layer of COPY --link keeps owners, modes and times, and never touches the files that it shares", async () => {
  await using builder = await testBuilder();
  const output = await printed(
    builder,
    [
      `FROM ${BASE} AS a`,
      "COPY --link --chown=7:8 file /f",
      "RUN stat -c '%u %g %a %h' /f && echo changed > /f",
      `FROM ${BASE}`,
      "COPY --link --chown=7:8 file /f",
      "COPY --from=a /f /other",
      "RUN cat /f /other",
    ].join("\n"),
    { file: "first\n" },
  );
  assert.match(output, /^7 8 644 \d+\n/);
  assert.match(output, /first\nchanged\n$/);
});

test("an image with COPY --link is read by umoci and has one layer for each history entry that is not empty", async () => {
  await using builder = await testBuilder();
  const context = builder.context({ Dockerfile: `FROM ${BASE}\nCOPY --link a /x/\nRUN rm /x/a\nCOPY --link b /x/\n`, a: "a", b: "b" });
  const dest = path.join(builder.dir, "layout");
  await builder.run({ context, outputs: [{ type: "oci", attrs: { dest, tar: "false", name: "localhost/linked:1" } }] });
  const bundle = path.join(builder.dir, "bundle");
  const umoci = spawnSync("umoci", ["raw", "unpack", "--image", `${dest}:1`, bundle], { encoding: "utf8" });
  assert.equal(umoci.status, 0, umoci.stderr);
  assert.deepEqual(spawnSync("ls", ["-A", path.join(bundle, "x")], { encoding: "utf8" }).stdout, "b\n");
});

test("COPY --link works where snapshots are whole trees", async () => {
  await using builder = await testBuilder("copy");
  const lines = [`FROM ${BASE}`, "RUN mkdir /d && echo 1 > /d/old", "COPY --link file /d/new", "RUN cat /d/old /d/new"];
  assert.equal(await printed(builder, lines.join("\n"), { file: "2\n" }), "1\n2\n");
});
