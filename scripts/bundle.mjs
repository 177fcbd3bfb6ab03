// Bundles the command line into dist/bundle/cli.js and the bulk worker into dist/bundle/worker.js, each one file, and
// keeps V8's compiled code beside them. One CommonJS file with a code cache starts several times faster than split ES
// modules: what is imported dynamically is still evaluated only when it is asked for.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

// Another place for tests, which must not wait for each other.
const outdir = process.argv[2] ?? "dist/bundle";

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: { cli: "cli/run.ts", worker: "cache/bulk/worker.ts" },
  outdir,
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  legalComments: "none",
  external: ["koffi", "lmdb", "@grpc/grpc-js"],
  alias: { "string-width": path.resolve("cli/progress/stringWidth.ts") },
  // Code from a cache cannot import(): the two native packages, and gRPC which only the daemon needs, are required instead.
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "__bundleUrl" },
  banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
  logLevel: "warning",
});
writeFileSync(`${outdir}/package.json`, '{ "type": "commonjs" }\n');
// In a process of its own, since the build that warms the cache prints its progress.
spawnSync(process.execPath, ["scripts/codeCache.mjs", `${outdir}/cli.js`], { stdio: "ignore" });
if (!existsSync(`${outdir}/cli.js.cache`)) process.stderr.write("no code cache could be made: starts will be slower\n");
