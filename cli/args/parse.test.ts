import assert from "node:assert/strict";
import test from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { noFilter } from "../flags/imageFilter.js";
import { parseArgs } from "./parse.js";
import type { PruneArgs } from "./space.js";

const parse = (line: string) => parseArgs(line.split(" ").filter((word) => word !== ""), 80);

async function refusal(line: string): Promise<string> {
  try {
    await parse(line);
  } catch (error) {
    if (!isTbuildError(error)) throw error;
    assert.equal(error.code, "usage");
    return `${error.message} | ${error.hint}`;
  }
  return "accepted";
}

const defaults = {
  command: "build",
  root: undefined,
  config: undefined,
  context: ".",
  tag: [],
  file: undefined,
  target: undefined,
  buildArg: [],
  label: [],
  addHost: [],
  noCache: false,
  lock: undefined,
  lockfile: undefined,
  noCacheFilter: [],
  sourcePolicyFile: undefined,
  cacheFrom: [],
  cacheTo: [],
  buildContext: [],
  secret: [],
  ssh: [],
  allow: [],
  ulimit: [],
  cgroupParent: undefined,
  shmSize: undefined,
  resource: [],
  call: "build",
  pull: false,
  platform: [],
  network: undefined,
  progress: process.env["BUILDKIT_PROGRESS"] ?? "auto",
  iidfile: undefined,
  metadataFile: undefined,
  output: [],
  annotation: [],
  attest: [],
  provenance: undefined,
  sbom: undefined,
  load: false,
  push: false,
  ociRuntime: undefined,
  detach: false,
  builder: undefined,
  tls: { caCert: undefined, cert: undefined, key: undefined, serverName: undefined, dir: undefined },
};

test("parseArgs() builds when no command is named", async () => {
  assert.deepEqual(await parse("."), defaults);
  assert.deepEqual(await parse("build ."), defaults);
  assert.deepEqual(await parse("--root /r --config=/c ."), { ...defaults, root: "/r", config: "/c" });
  assert.deepEqual(await parse("-t x build"), { ...defaults, context: "build", tag: ["x"] });
});

test("parseArgs() reads every option of a build", async () => {
  const line =
    "-t a:1 --tag b -f D --target t --build-arg A=1 --build-arg B --label L=1 --add-host h:127.0.0.1 --no-cache --pull --platform linux/arm64,linux/arm/v7 --platform linux/amd64 " +
    "--network none --progress plain --iidfile i --metadata-file m -o out -o type=oci,dest=x.tar --annotation a=b --annotation index:c=d --load --oci-runtime crun --detach --builder tcp://b:1 --tlscacert ca --tlscert c --tlskey k --tlsservername n --locked --lockfile l --rm --force-rm ctx";
  assert.deepEqual(await parse(line), {
    ...defaults,
    context: "ctx",
    tag: ["a:1", "b"],
    file: "D",
    target: "t",
    buildArg: ["A=1", "B"],
    label: ["L=1"],
    addHost: ["h:127.0.0.1"],
    noCache: true,
    pull: true,
    platform: ["linux/arm64", "linux/arm/v7", "linux/amd64"],
    network: "none",
    progress: "plain",
    iidfile: "i",
    metadataFile: "m",
    output: ["out", "type=oci,dest=x.tar"],
    annotation: ["a=b", "index:c=d"],
    load: true,
    ociRuntime: "crun",
    detach: true,
    lock: "require",
    lockfile: "l",
    builder: "tcp://b:1",
    tls: { caCert: "ca", cert: "c", key: "k", serverName: "n", dir: undefined },
  });
});

test("parseArgs() takes the last of an option that has one value", async () => {
  assert.deepEqual(await parse("--target a --target b --pull --pull --no-cache --no-cache=false ."), { ...defaults, target: "b", pull: true });
  assert.deepEqual(await parse("--progress plain --progress tty ."), { ...defaults, progress: "tty" });
});

test("parseArgs() takes an empty value for none, as scripts write it", async () => {
  assert.deepEqual(await parse("--target= --platform= --iidfile= ."), defaults);
});

test("parseArgs() lets --quiet win over --progress", async () => {
  assert.deepEqual(await parse("-q ."), { ...defaults, progress: "quiet" });
  assert.deepEqual(await parse("--quiet -q --progress plain ."), { ...defaults, progress: "quiet" });
  assert.deepEqual(await parse("--quiet=false --progress plain ."), { ...defaults, progress: "plain" });
});

test("parseArgs() reads short options that touch their value", async () => {
  assert.deepEqual(await parse("-tx:1 -fD -qoout ."), { ...defaults, tag: ["x:1"], file: "D", output: ["out"], progress: "quiet" });
});

test("parseArgs() reads what a build gives to its steps", async () => {
  const line =
    "--secret id=a --ssh default --allow network.host,device --allow security.insecure --no-cache-filter a,b --build-context c=d " +
    "--ulimit nofile=1 --shm-size 64m --cgroup-parent /p --resource cpu-shares=2 -m 1g --call outline,format=json .";
  assert.deepEqual(await parse(line), {
    ...defaults,
    secret: ["id=a"],
    ssh: ["default"],
    allow: ["network.host", "device", "security.insecure"],
    noCacheFilter: ["a", "b"],
    buildContext: ["c=d"],
    ulimit: ["nofile=1"],
    shmSize: "64m",
    cgroupParent: "/p",
    resource: ["memory=1g", "cpu-shares=2"],
    call: "outline,format=json",
  });
  assert.deepEqual(await parse("--check ."), { ...defaults, call: "check" });
});

test("parseArgs() reads a dash as a value", async () => {
  assert.deepEqual(await parse("-o - --output - ."), { ...defaults, output: ["-", "-"] });
});

test("parseArgs() keeps values as they are: digits, commas, dots, equals signs", async () => {
  const line = "--build-arg A=1,2 --build-arg V=08 --label a.b=c=d -t 0123 --build-arg=-x=1 .";
  assert.deepEqual(await parse(line), { ...defaults, buildArg: ["A=1,2", "V=08", "-x=1"], label: ["a.b=c=d"], tag: ["0123"] });
});

test("parseArgs() takes what stands behind -- for the context", async () => {
  assert.deepEqual(await parse("-t x -- -strange"), { ...defaults, tag: ["x"], context: "-strange" });
});

test("parseArgs() refuses an unknown option and suggests the closest", async () => {
  assert.equal(await refusal("--tga x ."), 'Unknown option "--tga" | Did you mean "--tag"?');
  assert.equal(await refusal("-x ."), 'Unknown option "-x" | See tbuild --help');
  assert.equal(await refusal("image ls --qiet"), 'Unknown option "--qiet" | Did you mean "--quiet"?');
  assert.equal(await refusal("prune --al"), 'Unknown option "--al" | Did you mean "--all"?');
  assert.equal(await refusal("build --al ."), 'Unknown option "--al" | See tbuild --help');
});

test("parseArgs() says what to do instead of options of docker build that are not there", async () => {
  assert.match(await refusal("--squash ."), /^Option "--squash" is not supported yet \| Leave it away/);
  assert.equal(await refusal("-v /a:/b ."), 'tbuild has no option "-v" | Give files with --build-context NAME=DIR and RUN --mount=from=NAME');
  assert.match(await refusal("--cap-add SYS_ADMIN ."), /^tbuild has no option "--cap-add" \| .*security\.insecure/);
  assert.match(await refusal("--ignorefile x ."), /<Dockerfile>\.dockerignore/);
});

test("parseArgs() refuses values that are missing or wrong", async () => {
  assert.equal(await refusal(". -t"), 'Option "-t" needs a value | A value that begins with "-" is written -t=VALUE');
  assert.equal(await refusal(". --target"), 'Option "--target" needs a value | A value that begins with "-" is written --target=VALUE');
  assert.equal(await refusal("--progress fancy ."), 'Cannot use "fancy" for --progress | One of auto, tty, plain, quiet, rawjson');
  assert.equal(await refusal("--network bridge ."), 'Cannot use "bridge" for --network | One of default, host, none');
  assert.equal(await refusal("prune --max-used-space much"), 'Cannot read --max-used-space "much" | Write --max-used-space with a size such as 10GB');
  assert.match(await refusal("prune --keep-duration 5"), /--keep-duration "5"/);
});

test("parseArgs() refuses a wrong number of words", async () => {
  assert.match(await refusal("build"), /^The build needs a PATH/);
  assert.equal(await refusal("a b"), "The build takes one PATH, not 2: a b | Options must be spelled --name or -x");
  assert.equal(await refusal("imgae ls"), 'The build takes one PATH, not 2: imgae ls | Did you mean "tbuild image"?');
  assert.equal(await refusal("image tag a"), '"tbuild image tag" needs more words | Write tbuild image tag SOURCE TARGET');
  assert.equal(await refusal("image tag a b c"), 'Unexpected word "c" | Write tbuild image tag SOURCE TARGET');
  assert.equal(await refusal("du x"), 'Unexpected word "x" | Write tbuild du');
  assert.match(await refusal("image"), /^Which image command\?/);
  assert.equal(await refusal("image lss"), 'Unknown image command "lss" | Did you mean "ls"?');
});

test("parseArgs() reads the commands on images", async () => {
  const image = { command: "image", root: undefined, config: undefined };
  const ls = { ...image, verb: "ls", names: [], filter: noFilter, quiet: false, digests: false, truncate: true, format: "table" };
  assert.deepEqual(await parse("image ls"), ls);
  assert.deepEqual(await parse("image list a -q --format json"), { ...ls, names: ["a"], quiet: true, format: "json" });
  const filtered = { ...ls, filter: { ...noFilter, dangling: true, before: ["x"] }, digests: true, truncate: false, format: { template: "{{.ID}}" } };
  assert.deepEqual(await parse("image ls -a -fdangling=true --filter before=x --digests --no-trunc --format {{.ID}}"), filtered);
  assert.deepEqual(await parse("image rm a b"), { ...image, verb: "rm", names: ["a", "b"], force: false });
  assert.deepEqual(await parse("image rm -f a"), { ...image, verb: "rm", names: ["a"], force: true });
  assert.deepEqual(await parse("image prune -af"), { ...image, verb: "prune", all: true, filter: noFilter, force: true });
  assert.deepEqual(await parse("image inspect -f {{.Id}} a"), { ...image, verb: "inspect", names: ["a"], format: "{{.Id}}", raw: false, at: "store" });
  assert.deepEqual(await parse("image inspect --raw a"), { ...image, verb: "inspect", names: ["a"], format: null, raw: true, at: "store" });
  assert.deepEqual(await parse("image history a --format=json"), { ...image, verb: "history", name: "a", truncate: true, format: "json" });
  assert.deepEqual(await parse("image tag a b"), { ...image, verb: "tag", source: "a", target: "b" });
  assert.deepEqual(await parse("image push a b --insecure -q"), { ...image, verb: "push", names: ["a", "b"], insecure: true, progress: "quiet" });
  const pulled = { ...image, verb: "pull", name: "a", platform: ["linux/arm64", "linux/s390x"], progress: "plain" };
  assert.deepEqual(await parse("image pull a --platform linux/arm64,linux/s390x --progress plain"), pulled);
  assert.deepEqual(await parse("image save a"), { ...image, verb: "save", names: ["a"], output: "-", format: "docker" });
  assert.deepEqual(await parse("image save -ox.tar --format oci a b"), { ...image, verb: "save", names: ["a", "b"], output: "x.tar", format: "oci" });
  assert.deepEqual(await parse("image load -i x.tar"), { ...image, verb: "load", input: "x.tar" });
  const imported = { ...image, verb: "import", file: "-", name: "x", message: undefined, platform: undefined };
  assert.deepEqual(await parse("image import - x -c USER=1 -c CMD"), { ...imported, changes: ["USER=1", "CMD"] });
  assert.deepEqual(await parse("import -m why - x"), { ...imported, changes: [], message: "why" });
});

test("parseArgs() takes Docker's short names for commands on images", async () => {
  const same = async (short: string, long: string) => assert.deepEqual(await parse(short), await parse(long), short);
  await same("images -q a", "image ls -q a");
  await same("--root r rmi -f a", "--root r image rm -f a");
  for (const line of ["history a", "inspect a", "tag a b", "save -o f a", "load -i f", "import f a"]) await same(line, `image ${line}`);
});

test("parseArgs() refuses formats and sources that the commands on images do not take", async () => {
  assert.match(await refusal("images --format yaml"), /^Unknown format "yaml"/);
  assert.match(await refusal("images -f colour=red"), /^Unknown filter "colour"/);
  assert.match(await refusal("image prune --filter before=x"), /^Unknown filter "before"/);
  assert.match(await refusal("import https://example.com/x.tar"), /^Cannot import .*: a URL is not read \| Download it/);
  assert.match(await refusal("inspect --raw a b"), /^--raw shows one image/);
});

test("parseArgs() reads logins", async () => {
  const global = { root: undefined, config: undefined };
  const login = { ...global, command: "login", registry: undefined, username: undefined, passwordStdin: false };
  assert.deepEqual(await parse("login"), login);
  assert.deepEqual(await parse("login -uann --password-stdin localhost:5000"), { ...login, registry: "localhost:5000", username: "ann", passwordStdin: true });
  assert.deepEqual(await parse("logout localhost:5000"), { ...global, command: "logout", registry: "localhost:5000" });
  assert.match(await refusal("login -psecret"), /^tbuild has no option "-p" \| .*--password-stdin$/);
  assert.match(await refusal("login --password secret"), /^tbuild has no option "--password" \| .*--password-stdin$/);
});

test("parseArgs() reads limits of prune in bytes and milliseconds", async () => {
  assert.deepEqual(await parse("prune -a --max-used-space 1.5GB --keep-duration 1h30m"), {
    command: "prune",
    root: undefined,
    config: undefined,
    all: true,
    gc: false,
    mode: "remove",
    explain: false,
    filters: [],
    maxUsedBytes: 1.5e9,
    reservedBytes: undefined,
    minFreeBytes: undefined,
    keepDurationMs: 5_400_000,
  });
  const limited = (await parse("prune --dry-run --explain --filter type==regular --filter until=48h --min-free-space 20GB --reserved-space 1k")) as PruneArgs;
  assert.deepEqual([limited.mode, limited.explain, limited.filters, limited.keepDurationMs], ["plan", true, ["type==regular"], 48 * 3_600_000]);
  assert.deepEqual([limited.minFreeBytes, limited.reservedBytes], [20e9, 1000]);
  assert.match(await refusal("prune --gc --max-used-space 1GB"), /^Cannot use --gc with limits of its own/);
  assert.match(await refusal("prune --filter until=soon"), /^Cannot read --filter "until=soon"/);
});

test("parseArgs() answers with help where it is asked for", async () => {
  for (const line of ["", "--help", "-h", "help", "build --help", ". --help", "image --help", "image ls -h", "help prune"]) {
    const parsed = await parse(line);
    assert.ok(parsed.command === "help", line);
    assert.match(parsed.text, /Usage:|tbuild /, line);
  }
});
