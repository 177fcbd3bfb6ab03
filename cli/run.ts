import type { Builder } from "../builder/builder.js";
import type { BuilderCommandArgs } from "./args/builder.js";
import type { HistoryArgs } from "./args/history.js";
import { commandOf, type ParsedArgs, parseArgs, type StoreArgs } from "./args/parse.js";
import type { RunArgs } from "./args/run.js";
import { closedExitCode, exitCodeOf, runExitCodeOf } from "./exitCode.js";
import { parseCall } from "./flags/call.js";
import { interruptSignal } from "./interrupt.js";
import { progressMode } from "./progress/mode.js";
import { reportError, type ReportOptions } from "./report.js";
import { print, processTerminal, type Terminal } from "./terminal.js";

/** Runs one command and returns its exit status; everything that goes wrong has been reported when it returns. */
export async function runCommandLine(words: readonly string[], version: string): Promise<number> {
  const terminal = processTerminal();
  let args: ParsedArgs | null = null;
  try {
    const parsed = (args = await parseArgs(words, terminal.columns()));
    if (parsed.command === "help") await print(terminal.stdout, parsed.text);
    else if (parsed.command === "version") await print(terminal.stdout, `tbuild ${version}\n`);
    else if (parsed.command === "context") await print(terminal.stdout, await (await import("./commands/context.js")).contextCommand(parsed));
    else if (parsed.command === "login" || parsed.command === "logout") await print(terminal.stdout, await (await import("./commands/login.js")).loginCommand(parsed, terminal));
    else if (parsed.command === "daemon") await (await import("./commands/daemon.js")).daemonCommand(parsed, version, terminal);
    else if (parsed.command === "dial-stdio") await (await import("./commands/dialStdio.js")).dialStdioCommand(parsed);
    else if (parsed.command === "history") await runHistory(parsed, terminal);
    else if (parsed.command === "builder") await runBuilder(parsed, terminal);
    else return await runStoreCommand(parsed, terminal);
    return 0;
  } catch (error) {
    if (terminal.closed.aborted) return closedExitCode;
    // Apart from the progress above it.
    const gap = args !== null && args.command !== "run" && "progress" in args && args.progress !== "quiet" ? "\n" : "";
    terminal.stderr.write(gap + reportError(error, reportOptions(args, terminal)));
    return commandOf(words) === "run" ? runExitCodeOf(error) : exitCodeOf(error);
  }
}

async function runHistory(args: HistoryArgs, terminal: Terminal): Promise<void> {
  using interrupt = interruptSignal(false, terminal);
  const { historyCommand } = await import("./commands/builds.js");
  await print(terminal.stdout, await historyCommand(args, terminal, AbortSignal.any([interrupt.signal, terminal.closed])));
}

async function runBuilder(args: BuilderCommandArgs, terminal: Terminal): Promise<void> {
  using interrupt = interruptSignal(false, terminal);
  const { builderCommand } = await import("./commands/builder.js");
  await print(terminal.stdout, await builderCommand(args, { signal: AbortSignal.any([interrupt.signal, terminal.closed]) }));
}

async function runStoreCommand(args: StoreArgs, terminal: Terminal): Promise<number> {
  const call = args.command === "build" ? parseCall(args.call) : null;
  using interrupt = interruptSignal(isLive(args, terminal), terminal);
  const signal = AbortSignal.any([interrupt.signal, terminal.closed]);
  const { createBuilder } = await import("../builder/builder.js");
  const ociRuntime = "ociRuntime" in args ? args.ociRuntime : undefined;
  const elsewhere = "builder" in args ? (await import("./builders/choose.js")).chosenBuilder(args) : {};
  await using builder = await createBuilder({ root: args.root, configFile: args.config, ociRuntime, ...elsewhere });
  if (args.command === "build" && call !== null) return await (await import("./commands/call.js")).callCommand(builder, args, call, terminal, signal);
  if (args.command === "run") return await (await import("./commands/run.js")).runCommand(builder, args, terminal, interrupt);
  await print(terminal.stdout, await runCommand(builder, args, terminal, signal));
  return 0;
}

/** Runs a command and returns what goes to stdout. Only the command's own file is loaded. */
async function runCommand(builder: Builder, args: Exclude<StoreArgs, RunArgs>, terminal: Terminal, signal: AbortSignal): Promise<string> {
  switch (args.command) {
    case "build":
      return await (await import("./commands/build.js")).buildCommand(builder, args, terminal, signal);
    case "image":
      return await (await import("./commands/image.js")).imageCommand(builder, args, terminal, signal);
    case "du":
      return await (await import("./commands/space.js")).duCommand(builder, args);
    case "prune":
      return await (await import("./commands/space.js")).pruneCommand(builder, args, signal);
  }
}

function isLive(args: StoreArgs, terminal: Terminal): boolean {
  return "progress" in args && progressMode(args.progress, terminal) === "tty";
}

/** Progress that showed a failed step's output has shown it: the report does not repeat it. */
function reportOptions(args: ParsedArgs | null, terminal: Terminal): ReportOptions {
  const look = { colours: terminal.colours, columns: terminal.interactive ? terminal.columns() : MAX_COLUMNS };
  if (args?.command !== "build") return { ...look, root: args?.command === "context" ? args.context : ".", output: "show" };
  const mode = progressMode(args.progress, terminal);
  return { ...look, root: args.context, output: mode === "plain" || mode === "rawjson" ? "shown" : "show" };
}

/** Of excerpts that go to a file or a log. */
const MAX_COLUMNS = 120;
