// Writes V8's compiled code of a bundle beside it: node scripts/codeCache.mjs dist/bundle/cli.js. A small build runs first,
// so that the functions which a build calls are in the cache too, and not compiled again at every start.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import vm from "node:vm";

const file = path.resolve(process.argv[2]);
const script = new vm.Script(Module.wrap(readFileSync(file, "utf8")), { filename: file });
const bundle = { exports: {} };
script.runInThisContext()(bundle.exports, createRequire(file), bundle, file, path.dirname(file));

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-warm-"));
try {
  writeFileSync(path.join(dir, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /a/\n");
  await bundle.exports.runCommandLine(["--root", path.join(dir, "store"), dir], "0");
} finally {
  rmSync(dir, { recursive: true, force: true });
}
writeFileSync(`${file}.cache`, script.createCachedData());
