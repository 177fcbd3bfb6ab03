import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { busyboxTar } from "../fixtures/busybox.js";
import { writeContext } from "../fixtures/testBuilder.js";

const program = path.join(path.dirname(new URL(import.meta.url).pathname), "main.js");
const dir = mkdtempSync(path.join(tmpdir(), "tbuild-cli-"));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const env = { ...process.env, BUILDKIT_PROGRESS: "", TBUILD_CONFIG: "", SOURCE_DATE_EPOCH: "0" };
const ID = /^sha256:[0-9a-f]{64}$/;
const BASE = "localhost/busybox:1";

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function tbuild(...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--root", path.join(dir, "store"), ...args], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

function done(...args: readonly string[]): string {
  const { status, stdout, stderr } = tbuild(...args);
  assert.equal(status, 0, stderr);
  return stdout;
}

function shell(command: string): Ended {
  const tbuildCommand = `${process.execPath} ${program} --root ${path.join(dir, "store")}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command.replaceAll("TBUILD", tbuildCommand)], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

const context = writeContext(path.join(dir, "context"), {
  Dockerfile: `FROM ${BASE}\nARG WORD=hello\nRUN echo "$WORD" > /word && echo said-$WORD\nCMD ["cat", "/word"]\n`,
});
const failing = writeContext(path.join(dir, "failing"), { Dockerfile: `FROM ${BASE}\nRUN echo last-words && exit 7\n` });

test.before(() => {
  busyboxTar(path.join(dir, "rootfs"), path.join(dir, "rootfs.tar"));
  const id = done("image", "import", "-c", 'CMD ["sh"]', "-c", "ENV PATH=/bin:/usr/bin", path.join(dir, "rootfs.tar"), BASE);
  assert.match(id.trim(), ID);
});

test("tbuild shows progress and a closing line on stderr, and nothing on stdout", () => {
  const { status, stdout, stderr } = tbuild("-t", "app:1", "-t", "app:2", context);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, /^#1 \[internal\] load build definition\n#1 DONE /);
  assert.match(stderr, /#\d+ \d\.\d{3} said-hello\n/);
  assert.match(stderr, /\nBuilt app:1, app:2 \(ID [0-9a-f]{12}, [\d.]+MB\) in \d+\.\ds\n$/);
});

test("tbuild -q prints the image ID alone, the same as --iidfile has", () => {
  const iidfile = path.join(dir, "iid");
  const { status, stdout, stderr } = tbuild("-q", "--iidfile", iidfile, context);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout.trim(), ID);
  assert.equal(readFileSync(iidfile, "utf8"), stdout.trim());
});

test("tbuild --metadata-file writes what buildx writes", () => {
  const file = path.join(dir, "metadata.json");
  const id = done("-q", "-t", "app:meta", "--metadata-file", file, "-o", `type=oci,dest=${path.join(dir, "meta.tar")}`, context).trim();
  const metadata = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  assert.equal(metadata["containerimage.config.digest"], id);
  assert.match(String(metadata["containerimage.digest"]), ID);
  assert.equal(metadata["image.name"], "docker.io/library/app:meta");
  assert.equal((metadata["containerimage.descriptor"] as { digest: string }).digest, metadata["containerimage.digest"]);
});

test("a failed tbuild leaves no old --iidfile, shows the step's output once and exits with 1", () => {
  const iidfile = path.join(dir, "stale");
  writeFileSync(iidfile, "old");
  const { status, stdout, stderr } = tbuild("--iidfile", iidfile, failing);
  assert.deepEqual([status, stdout], [1, ""]);
  assert.ok(!existsSync(iidfile));
  assert.equal(stderr.match(/ last-words\n/g)?.length, 1);
  assert.match(stderr, /\n\nERROR: Dockerfile:2:1: .*exit code: 7\n {2}1 \| {5}FROM .*\n {2}2 \| >>> RUN echo last-words && exit 7\nThe whole log: .*\/logs\/.*\.log\n$/);
});

test("a failed tbuild -q shows the end of the step's output", () => {
  const { status, stderr } = tbuild("-q", failing);
  assert.equal(status, 1);
  assert.match(stderr, /^ERROR: Dockerfile:2:1: .*\n------\n last-words\n------\n/);
});

test("tbuild --progress rawjson writes one JSON object a line", () => {
  const { status, stdout, stderr } = tbuild("--progress", "rawjson", "--no-cache", context);
  assert.deepEqual([status, stdout], [0, ""]);
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, readonly Record<string, unknown>[]>);
  const vertices = lines.flatMap((line) => line["vertexes"] ?? []);
  assert.ok(vertices.every(({ digest, name }) => ID.test(String(digest)) && typeof name === "string"));
  assert.ok(vertices.some(({ name, completed }) => /RUN echo/.test(String(name)) && completed !== undefined));
  const output = lines.flatMap((line) => line["logs"] ?? []).map(({ data }) => Buffer.from(String(data), "base64").toString());
  assert.equal(output.join(""), "said-hello\n");
});

test("tbuild takes build arguments from the command line and from the environment", () => {
  const out = path.join(dir, "out");
  done("-q", "--build-arg", "WORD=given", "-o", out, context);
  assert.equal(readFileSync(path.join(out, "word"), "utf8"), "given\n");
  assert.equal(shell(`WORD=inherited TBUILD -q --build-arg WORD -o ${out} ${context}`).status, 0);
  assert.equal(readFileSync(path.join(out, "word"), "utf8"), "inherited\n");
});

test("tbuild -o - writes a tar to stdout while progress goes to stderr", () => {
  const { status, stdout } = shell(`TBUILD -o - ${context} 2>/dev/null | tar -xO word`);
  assert.deepEqual([status, stdout], [0, "hello\n"]);
});

test("tbuild -o writes into devices and does not replace them", () => {
  done("-o", "type=tar,dest=/dev/null", context);
  assert.ok(lstatSync("/dev/null").isCharacterDevice());
});

test("tbuild image commands name, show, remove and move images", () => {
  const id = done("-q", "-t", "img:1", context).trim();
  done("image", "tag", "img:1", "img:2");
  assert.match(done("image", "ls", "img"), new RegExp(`^REPOSITORY +TAG +IMAGE ID .*\nimg +1 +${id.slice(7, 19)} .*\nimg +2 +${id.slice(7, 19)} .*\n$`));
  assert.equal(done("image", "ls", "-q", "--no-trunc", "img"), `${id}\n`);
  const rows = JSON.parse(done("image", "ls", "--format", "json", "img:2")) as readonly { name: string; id: string; size: number }[];
  assert.deepEqual(rows.map(({ name, id: rowId, size }) => [name, rowId, size > 1e6]), [["img:2", id, true]]);
  const [shown] = JSON.parse(done("image", "inspect", "img:1")) as readonly { Id: string; RepoTags: readonly string[]; Config: { Cmd: readonly string[] } }[];
  assert.equal(shown?.Id, id);
  assert.ok(shown.RepoTags.includes("img:1") && shown.RepoTags.includes("img:2"));
  assert.deepEqual(shown.Config.Cmd, ["cat", "/word"]);
  assert.match(done("image", "history", "img:1"), /^CREATED +CREATED BY +SIZE +COMMENT\n.*CMD \["cat" "\/word"\].*\n(?:.*\n)*.*imported\n$/);

  const archive = path.join(dir, "img.tar");
  done("image", "save", "-o", archive, "img:1");
  assert.equal(done("image", "rm", "img:1", "img:2"), "Untagged: img:1\nUntagged: img:2\n");
  assert.equal(done("image", "ls", "-q", "img"), "");
  assert.equal(done("image", "load", "-i", archive), "Loaded image: img:1\n");
  assert.equal(shell(`TBUILD image load < ${archive}`).stdout, "Loaded image: img:1\n");
  assert.equal(done("image", "ls", "-q", "--no-trunc", "img"), `${id}\n`);
});

test("tbuild image rm removes nothing when one of the names is unknown", () => {
  done("image", "tag", BASE, "keep:1");
  const { status, stderr } = tbuild("image", "rm", "keep:1", "unknown:1");
  assert.equal(status, 1);
  assert.match(stderr, /^ERROR: Cannot find image "unknown:1"/);
  assert.notEqual(done("image", "ls", "-q", "keep"), "");
});

test("tbuild du and prune show and free what no image needs", () => {
  done("-q", "--build-arg", "WORD=unused", "-o", path.join(dir, "unused"), context);
  assert.match(done("du"), /^ID +TYPE +IN USE +SIZE +LAST USED\n(?:.*\n)+\nReclaimable: [\d.]+\w+\nTotal: +[\d.]+\w+\n$/);
  const free = (JSON.parse(done("du", "--format", "json")) as readonly { inUse: boolean }[]).filter(({ inUse }) => !inUse);
  assert.ok(free.length > 0);
  assert.match(done("prune", "--all"), /^Removed [1-9]\d* entr(?:y|ies), [\d.]+\w+ freed\n$/);
  assert.match(done("prune"), /^Removed 0 entries, 0B freed\n$/);
  assert.equal(done("-q", "-o", path.join(dir, "again"), context), "");
});

test("tbuild version needs no store", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  for (const args of [["version"], ["--version"], ["--root", "/nowhere", "version"]]) {
    assert.equal(execFileSync(process.execPath, [program, ...args], { encoding: "utf8" }), `tbuild ${version}\n`);
  }
});

test("tbuild exits with 2 when the command line is wrong", () => {
  const { status, stdout, stderr } = tbuild("--tga", "x", ".");
  assert.deepEqual([status, stdout, stderr], [2, "", 'ERROR: Unknown option "--tga"\nhint: Did you mean "--tag"?\n']);
});

test("tbuild names the file and line of a mistake in its configuration", () => {
  const config = path.join(dir, "tbuild.toml");
  assert.match(tbuild("--config", path.join(dir, "none.toml"), "image", "ls").stderr, /^ERROR: .*none\.toml/);
  writeFileSync(config, "[worker.oci]\nmax-parallelism = [\n");
  assert.match(tbuild("--config", config, "image", "ls").stderr, /^ERROR: .*tbuild\.toml:\d+:\d+: [^]*\n +\d+ \| >>>/);
  writeFileSync(config, '[registry."x"]\nhttp = "yes"\n');
  const { status, stderr } = tbuild("--config", config, "image", "ls");
  assert.equal(status, 1);
  assert.match(stderr, /^ERROR: .*tbuild\.toml:2:\d+: .*\n {2}1 \| {5}\[registry."x"\]\n {2}2 \| >>> http = "yes"\n/);
  assert.match(tbuild("--config", dir, "image", "ls").stderr, /^ERROR: [^\n]+\n(?!.* at )/);
});

test("tbuild says what it cannot find", () => {
  assert.match(tbuild(path.join(dir, "nowhere")).stderr, /\nERROR: Cannot use ".*nowhere" as the build context: no such directory\n/);
  assert.match(tbuild("image", "import", dir, "x").stderr, /^ERROR: Cannot read ".*": it is a directory\n/);
  assert.match(tbuild("image", "import", path.join(dir, "No.tar"), "x").stderr, /^ERROR: Cannot read ".*No\.tar": no such file\n/);
  assert.match(tbuild("-f", path.join(dir, "No"), context).stderr, /\nERROR: Cannot read ".*No": no such file\nhint: /);
});

test("tbuild makes the same image of the same files, whatever their times and the store", () => {
  const same = writeContext(path.join(dir, "same"), {
    Dockerfile: `FROM ${BASE}\nWORKDIR /app/deep\nCOPY . .\nCOPY <<EOF /here\nx\nEOF\nRUN --mount=type=tmpfs,target=/t touch /t/x\n`,
    "a/b": "1",
  });
  const other = path.join(dir, "other");
  done("--root", other, "image", "import", "-c", 'CMD ["sh"]', "-c", "ENV PATH=/bin:/usr/bin", path.join(dir, "rootfs.tar"), BASE);
  const ids = [done("-q", same), done("-q", "--no-cache", same)];
  utimesSync(path.join(same, "a/b"), 1, 1);
  ids.push(done("-q", "--no-cache", same), done("--root", other, "-q", same));
  assert.equal(new Set(ids).size, 1, ids.join(""));
});

test("tbuild says of secrets, agents and rights that a build was not given, before any step", () => {
  const refused = (step: string): string => {
    const dockerfile = path.join(dir, "Refused");
    writeFileSync(dockerfile, `FROM ${BASE}\nRUN echo never\n${step}\n`);
    const { status, stderr } = tbuild("-f", dockerfile, "--progress=plain", "--no-cache", context);
    assert.equal(status, 1, step);
    assert.doesNotMatch(stderr, /\[2\/3\]/, step);
    return /\nERROR: .*:3:\d+: (.*)\n/.exec(stderr)?.[1] ?? stderr;
  };
  assert.match(refused("RUN --mount=type=secret,id=s,required=true true"), /^Cannot mount the secret "s": the build was given none/);
  assert.match(refused("RUN --mount=type=secret,id=s,env=S,required=true true"), /^Cannot mount the secret "s": the build was given none/);
  assert.match(refused("RUN --mount=type=ssh,required true"), /^Cannot mount the ssh agent "default": the build was given none/);
  assert.match(refused("RUN --network=host true"), /network\.host/);
  assert.match(refused("RUN --security=insecure true"), /security\.insecure/);
});

test("tbuild refuses what it cannot do yet, and says what", () => {
  const refused = (...args: string[]): string => {
    const { status, stderr } = tbuild(...args, context);
    assert.ok(status === 1 || status === 2, args.join(" "));
    return /^ERROR: (.*)$/m.exec(stderr)?.[1] ?? stderr;
  };
  assert.match(refused("--squash"), /squash/);
});

test("tbuild whose reader leaves ends without a stack trace", () => {
  const progress = shell(`TBUILD --no-cache ${context} 2>&1 | head -1; echo "\${PIPESTATUS[0]}"`);
  assert.match(progress.stdout, /^#1 \[internal\] load build definition\n(?:0|141)\n$/);
  assert.equal(progress.stderr, "");
  const list = shell("TBUILD image ls | head -1");
  assert.match(list.stdout, /^REPOSITORY/);
  assert.equal(list.stderr, "");
  const tar = shell(`TBUILD -q -o - ${context} | head -c 10 | wc -c; echo "\${PIPESTATUS[0]}"`);
  assert.deepEqual([tar.stdout, tar.stderr], ["10\n141\n", ""]);
});

test("tbuild reports a result that it cannot write", () => {
  const { status, stderr } = shell("TBUILD image ls > /dev/full");
  assert.deepEqual([status, stderr], [1, "ERROR: Cannot write to standard output: ENOSPC\n"]);
});

test("tbuild ends with 130 and a short word when it is interrupted", async () => {
  const slow = writeContext(path.join(dir, "slow"), { Dockerfile: `FROM ${BASE}\nRUN echo started; sleep 60\n` });
  const child = spawn(process.execPath, [program, "--root", path.join(dir, "store"), slow], { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stderr.on("data", (data: Buffer) => {
    const hadStarted = text.includes(" started\n");
    text += data.toString();
    if (!hadStarted && text.includes(" started\n")) child.kill("SIGINT");
  });
  assert.equal(await status, 130);
  assert.match(text, /\nCancelling; press Ctrl-C again to leave at once\n[^]*CANCELED\n\nERROR: Build cancelled\n$/);
});
