// Builds a real image of Debian's nginx, runs it and fetches its page. Needs root, Debian's mirrors once, and no registry.
// Keeps .cache/demo (base image and store), so that a second run is quick; removes everything else.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const project = path.dirname(path.dirname(new URL(import.meta.url).pathname));
const cache = path.join(project, ".cache", "demo");
const base = "demo/nginx-base:1";
const image = "nginx:v3";
const words = "Built and served without a registry";

const dockerfile = `
FROM ${base} AS site
WORKDIR /site
COPY page.txt nginx.conf ./
RUN { echo "<!doctype html><title>tbuild</title>"; sed 's:.*:<p>&</p>:' page.txt; nginx -v 2>&1; } > index.html
RUN echo "listen 8080;" > /run/listen.conf && nginx -t -c /site/nginx.conf

FROM ${base}
LABEL org.opencontainers.image.title="tbuild demo"
COPY --from=site /site/nginx.conf /etc/nginx/nginx.conf
COPY --from=site /site/index.html /var/www/html/index.html
EXPOSE 8080
CMD ["sh", "-c", "echo \\"listen 127.0.0.1:\${PORT:-8080};\\" > /run/listen.conf && exec nginx -g 'daemon off;'"]
`.trimStart();

const nginxConf = `
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  default_type text/html;
  server {
    include /run/listen.conf;
    root /var/www/html;
  }
}
`.trimStart();

try {
  await demo();
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function demo() {
  if (process.getuid() !== 0) throw new Error("it needs root, for mounts and containers. Run it with sudo");
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(os.tmpdir(), "tbuild-demo-"));
  try {
    makeBase();
    const context = writeContext(path.join(work, "context"));
    build(context);
    await runImage(work);
    output(["prune", "--all", "--keep-duration", "24h"]); // what earlier runs left
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`Done. Kept for the next time: ${path.relative(process.cwd(), cache) || "."}`);
}

function makeBase() {
  const tar = path.join(cache, "nginx-base.tar");
  if (existsSync(tar)) say("A Debian system with nginx is here from an earlier run");
  else {
    say("Making a small Debian system with nginx from Debian's packages (about a minute, once)");
    rmSync(`${tar}.part`, { force: true });
    const excluded = ["doc", "man", "locale", "info"].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`);
    const options = ["--quiet", "--format=tar", "--variant=essential", "--include=nginx-light", ...excluded];
    command("mmdebstrap", [...options, codename(), `${tar}.part`], {
      hint: "Debian's mirror must be reachable; try: mmdebstrap --variant=essential bookworm /dev/null",
    });
    renameSync(`${tar}.part`, tar);
    if (output(["image", "ls", "-q", base]) !== "") tbuild("image", "rm", base);
  }
  if (output(["image", "ls", "-q", base]) !== "") return;
  say("Importing it as an image");
  tbuild("image", "import", "--change", 'CMD ["sh"]', tar, base);
}

function codename() {
  const release = readFileSync("/etc/os-release", "utf8");
  return /^ID=debian$/m.test(release) ? (/^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "bookworm") : "bookworm";
}

function writeContext(dir) {
  mkdirSync(dir);
  writeFileSync(path.join(dir, "Dockerfile"), dockerfile);
  writeFileSync(path.join(dir, "page.txt"), `${words}\n`);
  writeFileSync(path.join(dir, "nginx.conf"), nginxConf);
  console.log(`\n${dockerfile.replace(/^/gm, "    ")}`);
  return dir;
}

function build(context) {
  say("Building this Dockerfile");
  tbuild("--no-cache", "-t", image, context);
  say("Building it once more: every step comes from the cache");
  tbuild("-t", image, context);
  say("It is in the image store");
  tbuild("image", "ls");
}

async function runImage(work) {
  say("Exporting the image and unpacking it with another tool (umoci)");
  const archive = path.join(work, "image.tar");
  tbuild("image", "save", "--format", "oci", "-o", archive, image);
  mkdirSync(path.join(work, "layout"));
  command("tar", ["-C", path.join(work, "layout"), "-xf", archive]);
  const index = JSON.parse(readFileSync(path.join(work, "layout", "index.json"), "utf8"));
  const tag = index.manifests[0].annotations["org.opencontainers.image.ref.name"];
  const bundle = path.join(work, "bundle");
  command("umoci", ["unpack", "--image", `${path.join(work, "layout")}:${tag}`, bundle]);

  const port = await freePort();
  say(`Running it with runc, and fetching http://127.0.0.1:${port}/`);
  writeSpec(path.join(bundle, "config.json"), port);
  await serve({ bundle, root: path.join(work, "runc"), port });
}

/** The image's own command with this machine's network, and without what asks for rights that a container may lack. */
function writeSpec(file, port) {
  const spec = JSON.parse(readFileSync(file, "utf8"));
  spec.process.terminal = false;
  spec.process.env.push(`PORT=${port}`);
  delete spec.process.rlimits;
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network" && type !== "cgroup");
  spec.mounts = spec.mounts.filter(({ destination }) => destination !== "/sys" && destination !== "/sys/fs/cgroup");
  const rights = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE"];
  spec.process.capabilities = { bounding: rights, effective: rights, permitted: rights };
  writeFileSync(file, JSON.stringify(spec));
}

async function serve({ bundle, root, port }) {
  const id = `tbuild-demo-${process.pid}`;
  const container = spawn("runc", ["--root", root, "run", "--bundle", bundle, id], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  container.stdout.on("data", (data) => (log += data));
  container.stderr.on("data", (data) => (log += data));
  const ended = new Promise((resolve) => container.once("close", resolve));
  try {
    const page = await fetchPage(port, container, () => log);
    console.log(page.trim().replace(/^/gm, "    "));
    if (!page.includes(words)) throw new Error(`the page does not say "${words}"`);
  } finally {
    runcQuietly("--root", root, "kill", id, "TERM");
    await Promise.race([ended, delay(5000, undefined, { ref: false })]);
    runcQuietly("--root", root, "delete", "--force", id);
  }
  say("The page is right; the container is stopped and removed");
}

async function fetchPage(port, container, log) {
  for (let tries = 0; tries < 100; tries++) {
    if (container.exitCode !== null) throw new Error(`the container ended with status ${container.exitCode}\n${log()}`);
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if (response?.ok) return await response.text();
    await delay(100);
  }
  throw new Error(`nothing answers on port ${port}\n${log()}`);
}

/** What is gone already needs no ending. */
function runcQuietly(...args) {
  try {
    execFileSync("runc", args, { stdio: "ignore" });
  } catch {
    // Looked at by nobody: the container has ended.
  }
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function say(text) {
  console.log(`\n==> ${text}`);
}

function storeArgs(args) {
  return ["--root", path.join(cache, "store"), ...args];
}

function tbuild(...args) {
  console.log(`$ tbuild ${args.map((arg) => (/[\s"']/.test(arg) ? `'${arg}'` : arg)).join(" ")}`);
  command(path.join(project, "bin", "tbuild"), storeArgs(args));
}

function output(args) {
  return execFileSync(path.join(project, "bin", "tbuild"), storeArgs(args), { encoding: "utf8" }).trim();
}

function command(program, args, { hint = "" } = {}) {
  try {
    execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  } catch (error) {
    const ended = `failed (${error.signal ?? `status ${error.status}`})`;
    const reason = error.code === "ENOENT" ? "is not installed; run scripts/setup.sh test" : ended;
    throw new Error(`${path.basename(program)} ${reason}${hint === "" ? "" : `\n${hint}`}`, { cause: error });
  }
}
