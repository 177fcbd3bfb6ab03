import { readFileSync } from "node:fs";

/** Runs the command line of this process and sets its exit status. Only what the command needs is loaded. */
async function main(): Promise<void> {
  const words = process.argv.slice(2);
  if (words.length === 1 && (words[0] === "version" || words[0] === "--version")) {
    process.stdout.write(`tbuild ${packageVersion()}\n`);
    return;
  }
  const { runCommandLine } = await import("./run.js");
  process.exitCode = await runCommandLine(words, packageVersion());
}

/** From package.json, which stands two folders above the bundle and two above dist/cli. */
function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

await main();
