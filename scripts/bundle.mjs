// Bundles the command line into dist/bundle: split ESM, so that each command loads only what it runs.
import { build } from "esbuild";

const external = ["koffi", "lmdb"];

await build({
  entryPoints: { main: "cli/main.ts", worker: "cache/bulk/worker.ts" },
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minify: true,
  keepNames: true,
  legalComments: "none",
  external,
  logLevel: "warning",
  // Packages that are still CommonJS ask for require().
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
});
