import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Builder } from "../builder/builder.js";
import { type BuildArgs, type OtherArgs, parseArgs } from "./args.js";
import { exitCodeOf } from "./exitCode.js";
import { reportError } from "./report.js";
import { processTerminal, type Terminal } from "./terminal.js";

/** Runs one command and returns its exit status; everything that goes wrong has been reported when it returns. */
export async function runCommandLine(words: readonly string[], version: string): Promise<number> {
  const terminal = processTerminal();
  let sources = new Map<string, string>();
  try {
    const args = await parseArgs(words, terminal.columns());
    if (args.command === "help") return printed(terminal, args.text);
    if (args.command === "version") return printed(terminal, `tbuild ${version}\n`);
    if (args.command === "build") sources = buildSources(args);
    await withInterrupt(terminal, (signal) => runCommand(args, terminal, signal));
    return 0;
  } catch (error) {
    terminal.stderr.write(reportError(error, sources));
    return exitCodeOf(error);
  }
}

async function runCommand(args: BuildArgs | OtherArgs, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { createBuilder } = await import("../builder/builder.js");
  const ociRuntime = args.command === "build" ? args.ociRuntime : undefined;
  await using builder = await createBuilder({ root: args.root, configFile: args.config, ociRuntime });
  if (args.command === "build") await build(builder, args, terminal, signal);
  else await other(builder, args, terminal, signal);
}

async function build(builder: Builder, args: BuildArgs, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { buildCommand } = await import("./commands/build.js");
  await buildCommand(builder, args, terminal, signal);
}

async function other(builder: Builder, args: OtherArgs, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (args.command === "image") {
    const { imageCommand } = await import("./commands/image.js");
    terminal.stdout.write(await imageCommand(builder, args, { signal, stdout: terminal.stdout }));
    return;
  }
  const { duCommand, pruneCommand } = await import("./commands/space.js");
  terminal.stdout.write(args.command === "du" ? await duCommand(builder, args) : await pruneCommand(builder, args));
}

/**
 * The first Ctrl-C or SIGTERM cancels and cleans up; a second one gives up at once (what is left is found by the next
 * tbuild).
 */
async function withInterrupt(terminal: Terminal, body: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(130);
    terminal.stderr.write("\nCancelling; press Ctrl-C again to leave at once\n");
    abort.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await body(abort.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function printed(terminal: Terminal, text: string): number {
  terminal.stdout.write(text);
  return 0;
}

/** Texts for the excerpts of errors, by the names that ranges carry. */
function buildSources(args: BuildArgs): Map<string, string> {
  const names = args.file === undefined ? ["Dockerfile", "dockerfile", "Containerfile"].map((name) => path.join(args.context, name)) : [args.file];
  const file = names.find((name) => existsSync(name));
  if (file === undefined) return new Map();
  try {
    const text = readFileSync(file, "utf8");
    const relative = path.relative(path.resolve(args.context), path.resolve(file));
    return new Map([[relative.startsWith("..") ? path.resolve(file) : relative, text]]);
  } catch {
    // The build itself reports a file that cannot be read.
    return new Map();
  }
}
