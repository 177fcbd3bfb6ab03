// Runs the builds of fixtures/remoteCases.ts in this process and on a builder that is running, buildkitd say, and prints what differs:
//   node scripts/remoteTable.mjs unix:///run/buildkit/buildkitd.sock [--tlscacert … and other options of tbuild build]
// Compares exit statuses, keys of the metadata, configs, and files with their owners, modes and contents, layer by layer. Not times
// (other builders give none that are reproducible), and not the empty entries that BuildKit's runs leave in layers.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

const dist = path.resolve(process.env.TBUILD_DIST ?? "dist");
const { cached, cacheLayers, filesBelow, remoteCases } = await import(`${dist}/fixtures/remoteCases.js`);
const { BASE, writeContext } = await import(`${dist}/fixtures/testBuilder.js`);
const { busyboxTar } = await import(`${dist}/fixtures/busybox.js`);

const flags = process.argv.slice(2);
if (flags.length === 0) throw new Error("Name the builder: node scripts/remoteTable.mjs ADDRESS");
const dir = mkdtempSync(path.join(tmpdir(), "tbuild-table-"));
const stores = { here: path.join(dir, "here"), there: path.join(dir, "client") };
const [layout, cache] = [path.join(dir, "layout"), path.join(dir, "cache")];
/** Of no bytes. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const LEFT_BY_RUN = /^(?:dev|proc|sys|etc|etc\/hosts|etc\/resolv\.conf)$/;

try {
  prepare();
  const differing = remoteCases.filter((one, number) => !compare(one, number));
  console.log(`${remoteCases.length - differing.length} of ${remoteCases.length} equal`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function tbuild(words, options = {}) {
  return spawnSync(process.execPath, [`${dist}/cli/main.js`, ...words], { encoding: "utf8", ...options });
}

function must(words) {
  const { status, stderr } = tbuild(words);
  if (status !== 0) throw new Error(`tbuild ${words.join(" ")}: ${stderr}`);
}

function prepare() {
  busyboxTar(path.join(dir, "rootfs"), path.join(dir, "rootfs.tar"));
  must(["image", "import", "--root", stores.here, path.join(dir, "rootfs.tar"), BASE]);
  must(["build", "--root", stores.here, "-o", `type=oci,tar=false,dest=${layout}`, writeContext(path.join(dir, "base"), { Dockerfile: `FROM ${BASE}\n` })]);
}

function compare(one, number) {
  const context = writeContext(path.join(dir, `case${number}`, "context"), one.files);
  if (one.name.startsWith("links")) {
    symlinkSync("target", path.join(context, "link"));
    linkSync(path.join(context, "target"), path.join(context, "dir with space", "hard"));
  }
  const [here, there] = ["here", "there"].map((where) => run(one, number, context, where));
  const differing = ["status", "metadata", "result"].filter((key) => !isDeepStrictEqual(here[key], there[key]));
  console.log(`${differing.length === 0 ? "equal  " : "DIFFERS"} ${one.name}${here.error === there.error ? "" : " (other words)"}`);
  for (const key of differing) console.log(`  ${key}:\n${difference(here[key], there[key])}`);
  if (here.error !== there.error) console.log(`  here:  ${here.error}\n  there: ${there.error}`);
  return differing.length === 0;
}

function run(one, number, context, where) {
  const own = path.join(dir, `case${number}-${where}`);
  const [out, metadata] = [path.join(own, "out"), path.join(own, "metadata.json")];
  mkdirSync(out, { recursive: true });
  // Each side finds its own cache, as their keys differ, and in it a file of its own.
  const ownCache = `${cache}-${where}`;
  const isCompared = one.compares !== "nothing" && one.files !== cached;
  // A policy sees images, and none that come from a layout.
  const from = one.words.includes("--source-policy-file") ? [] : ["--build-context", `${BASE}=oci-layout://${layout}`];
  const base = ["--root", stores[where], "--progress", "quiet", ...from, ...(where === "here" ? [] : ["--builder", ...flags])];
  if (one.files === cached) must(["build", ...base, "-o", "type=cacheonly", "--cache-to", `type=local,dest=${ownCache}`, context]);
  const words = one.words.map((word) => word.replaceAll("{out}", out).replaceAll("{context}", context).replaceAll("{case}", `case${number}`).replaceAll("{layout}", layout).replaceAll("{cache}", ownCache));
  const input = one.stdin === undefined ? "" : one.stdin === "Dockerfile" ? readFileSync(path.join(context, "Dockerfile")) : execFileSync("tar", ["-C", context, "--mtime=@0", "-c", "."]);
  const { status, stderr } = tbuild(["build", ...base, "--metadata-file", metadata, ...words], { input, cwd: own });
  if (status === 0 && one.compares === "image") must(["image", "save", "--root", stores[where], "-o", path.join(out, "image.tar"), `case${number}:v1`]);
  return {
    status,
    metadata: existsSync(metadata) ? Object.keys(JSON.parse(readFileSync(metadata, "utf8"))).sort() : null,
    error: (/^ERROR: .*/m.exec(stderr.replaceAll(own, "{own}")) ?? [""])[0],
    result: one.compares === "cache" ? cacheLayers(path.join(out, "cache")).length : isCompared ? filesOf(out) : null,
  };
}

/** What is below, with archives and images taken apart. */
function filesOf(root) {
  if (existsSync(path.join(root, "index.json"))) return imageOf(root, JSON.parse(readFileSync(path.join(root, "index.json"), "utf8")));
  const found = {};
  for (const name of readdirSync(root)) {
    const file = path.join(root, name);
    if (name.endsWith(".tar")) found[name] = filesOf(unpacked(file));
    else if (existsSync(path.join(file, "index.json"))) found[name] = filesOf(file);
    else Object.assign(found, Object.fromEntries(Object.entries(filesBelow(root)).filter(([below]) => below === name || below.startsWith(`${name}/`))));
  }
  return found;
}

function unpacked(file) {
  const to = mkdtempSync(path.join(dir, "unpacked-"));
  execFileSync("tar", ["-C", to, "--numeric-owner", "-xpf", file]);
  return to;
}

function imageOf(root, { manifests, config, layers }) {
  const blob = (digest) => path.join(root, "blobs/sha256", digest.slice(7));
  const json = (digest) => JSON.parse(readFileSync(blob(digest), "utf8"));
  if (manifests !== undefined) return manifests.map(({ digest }) => imageOf(root, json(digest)));
  const { config: own, architecture, os } = json(config.digest);
  const files = layers.map(({ digest }) => Object.entries(filesBelow(unpacked(blob(digest)))));
  return { config: own, platform: `${os}/${architecture}`, layers: files.map((layer) => Object.fromEntries(layer.filter((entry) => !isLeftByRun(entry, layer)))) };
}

/** True for an empty file or directory that a run's mount was on. */
function isLeftByRun([name, what], layer) {
  if (!LEFT_BY_RUN.test(name)) return false;
  return what.split(" ").length === 2 ? layer.every(([other]) => !other.startsWith(`${name}/`) || LEFT_BY_RUN.test(other)) : what.includes(EMPTY);
}

function difference(here, there) {
  const lines = (value) => JSON.stringify(value, null, 1)?.split("\n") ?? [];
  const [one, other] = [lines(here), lines(there)];
  const only = (these, those, sign) => these.filter((line) => !those.includes(line)).map((line) => `    ${sign} ${line.trim()}`);
  return [...only(one, other, "here: "), ...only(other, one, "there:")].slice(0, 20).join("\n");
}
