import type { Builder } from "../builder/builder.js";
import type { AttachArgs } from "./args/attach.js";
import type { BuilderCommandArgs } from "./args/builder.js";
import type { HistoryArgs } from "./args/history.js";
import { commandOf, type ParsedArgs, parseArgs, type StoreArgs } from "./args/parse.js";
import type { RunArgs } from "./args/run.js";
import type { BuildArgs } from "./args/build.js";
import { type BackgroundBuild, backgroundBuild } from "./background.js";
import type { VerifyArgs } from "./args/verify.js";
import { closedExitCode, exitCodeOf, runExitCodeOf, verifyExitCodeOf } from "./exitCode.js";
import { parseCall } from "./flags/call.js";
import { interruptSignal } from "./interrupt.js";
import { progressMode } from "./progress/mode.js";
import { reportError, type ReportOptions } from "./report.js";
import { print, processTerminal, type Terminal } from "./terminal.js";

/** Runs one command and returns its exit status; everything that goes wrong has been reported when it returns. */
export async function runCommandLine(words: readonly string[], version: string): Promise<number> {
  const background = backgroundBuild();
  const terminal = background?.terminal ?? processTerminal();
  let args: ParsedArgs | null = null;
  try {
    const parsed = (args = quietIn(background, await parseArgs(words, terminal.columns())));
    if (parsed.command === "help") await print(terminal.stdout, parsed.text);
    else if (parsed.command === "version") await print(terminal.stdout, `tbuild ${version}\n`);
    else if (parsed.command === "context") await print(terminal.stdout, await (await import("./commands/context.js")).contextCommand(parsed));
    else if (parsed.command === "login" || parsed.command === "logout") await print(terminal.stdout, await (await import("./commands/login.js")).loginCommand(parsed, terminal));
    else if (parsed.command === "daemon") await (await import("./commands/daemon.js")).daemonCommand(parsed, version, terminal);
    else if (parsed.command === "dial-stdio") await (await import("./commands/dialStdio.js")).dialStdioCommand(parsed);
    else if (parsed.command === "history") await runHistory(parsed, terminal);
    else if (parsed.command === "builder") await runBuilder(parsed, terminal);
    else if (parsed.command === "attach") return await runAttach(parsed, terminal);
    else if (parsed.command === "build" && parsed.detach && background === null) return await runDetached(parsed, words, terminal);
    else return await runStoreCommand(parsed, terminal, background);
    return 0;
  } catch (error) {
    if (terminal.closed.aborted) return closedExitCode;
    const gap = args !== null && showsProgress(args) ? "\n" : "";
    terminal.stderr.write(gap + reportError(error, reportOptions(args, terminal)));
    return exitCodes[commandOf(words) ?? ""]?.(error) ?? exitCodeOf(error);
  }
}

/** Nobody sees the progress of a build in the background. */
function quietIn(background: BackgroundBuild | null, args: ParsedArgs): ParsedArgs {
  return background !== null && args.command === "build" ? { ...args, progress: "quiet" } : args;
}

/** What comes after progress stands apart from it. */
function showsProgress(args: ParsedArgs): boolean {
  if (args.command === "run" || !("progress" in args) || args.progress === "quiet") return false;
  return !(args.command === "history" && args.verb !== "logs") && !(args.command === "build" && args.detach);
}

/** Of commands whose statuses mean more than success and failure. */
const exitCodes: Readonly<Record<string, (error: unknown) => number>> = { run: runExitCodeOf, verify: verifyExitCodeOf };

async function runHistory(args: HistoryArgs, terminal: Terminal): Promise<void> {
  using interrupt = interruptSignal(false, terminal, "");
  const { historyCommand } = await import("./commands/builds.js");
  await print(terminal.stdout, await historyCommand(args, terminal, AbortSignal.any([interrupt.signal, terminal.closed])));
}

async function runBuilder(args: BuilderCommandArgs, terminal: Terminal): Promise<void> {
  using interrupt = interruptSignal(false, terminal, "");
  const { builderCommand } = await import("./commands/builder.js");
  await print(terminal.stdout, await builderCommand(args, { signal: AbortSignal.any([interrupt.signal, terminal.closed]) }));
}

async function runAttach(args: AttachArgs, terminal: Terminal): Promise<number> {
  using interrupt = interruptSignal(false, terminal, "");
  const { attachCommand } = await import("./commands/attach.js");
  return await attachCommand(args, terminal, AbortSignal.any([interrupt.signal, terminal.closed]));
}

async function runDetached(args: BuildArgs, words: readonly string[], terminal: Terminal): Promise<number> {
  using interrupt = interruptSignal(false, terminal);
  const { detachCommand } = await import("./commands/detach.js");
  return await detachCommand(args, words, terminal, interrupt.signal);
}

async function runStoreCommand(args: StoreArgs, terminal: Terminal, background: BackgroundBuild | null): Promise<number> {
  const call = args.command === "build" ? parseCall(args.call) : null;
  using interrupt = interruptSignal(isLive(args, terminal), terminal);
  const signal = AbortSignal.any([interrupt.signal, terminal.closed]);
  const { createBuilder } = await import("../builder/builder.js");
  const ociRuntime = "ociRuntime" in args ? args.ociRuntime : undefined;
  const elsewhere = "builder" in args ? (await import("./builders/choose.js")).chosenBuilder(args) : {};
  await using builder = await createBuilder({ root: args.root, configFile: args.config, ociRuntime, history: true, ...elsewhere });
  if (args.command === "build" && call !== null) return await (await import("./commands/call.js")).callCommand(builder, args, call, terminal, signal);
  if (args.command === "verify") return await (await import("./commands/verify.js")).verifyCommand(builder, args, terminal, signal);
  if (args.command === "run") return await (await import("./commands/run.js")).runCommand(builder, args, terminal, interrupt);
  await print(terminal.stdout, await runCommand(builder, args, { terminal, background }, signal));
  return 0;
}

interface Place {
  readonly terminal: Terminal;
  readonly background: BackgroundBuild | null;
}

/** Runs a command and returns what goes to stdout. Only the command's own file is loaded. */
async function runCommand(builder: Builder, args: Exclude<StoreArgs, RunArgs | VerifyArgs>, { terminal, background }: Place, signal: AbortSignal): Promise<string> {
  switch (args.command) {
    case "build":
      return await (await import("./commands/build.js")).buildCommand(builder, args, terminal, signal, background);
    case "image":
      return await (await import("./commands/image.js")).imageCommand(builder, args, terminal, signal);
    case "lock":
      return await (await import("./commands/lock.js")).lockCommand(builder, args, terminal, signal);
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
  if (args?.command === "verify") return { ...look, root: args.build.context, output: args.progress === "quiet" ? "show" : "shown" };
  if (args?.command !== "build") return { ...look, root: args?.command === "context" ? args.context : ".", output: "show" };
  const mode = progressMode(args.progress, terminal);
  return { ...look, root: args.context, output: mode === "plain" || mode === "rawjson" ? "shown" : "show" };
}

/** Of excerpts that go to a file or a log. */
const MAX_COLUMNS = 120;
