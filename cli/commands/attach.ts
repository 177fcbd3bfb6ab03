import { buildFailure } from "../../builder/history/buildFailure.js";
import { type BuildHistory, type BuildHistoryRecord, findBuild } from "../../builder/history/buildHistory.js";
import { localHistory } from "../../builder/history/localHistory.js";
import { hasCode } from "../../cache/errors.js";
import type { AttachArgs } from "../args/attach.js";
import { chosenNodes } from "../builders/choose.js";
import { followed } from "../builds/followed.js";
import { durationOf } from "../builds/listed.js";
import { openBuilds, openLocal } from "../builds/openBuilds.js";
import { exitCodeOf } from "../exitCode.js";
import { progressMode, showProgress } from "../progress/mode.js";
import { reportError } from "../report.js";
import type { Terminal } from "../terminal.js";

/** What Ctrl-C comes to: the build has no status yet. */
const LEFT = 130;

/**
 * `tbuild attach`: shows a build from its begin to its end, reports why it failed and returns its exit status. Aborting leaves the
 * build running. @throws {TbuildError} not_found, unavailable
 */
export async function attachCommand(args: AttachArgs, terminal: Terminal, signal: AbortSignal): Promise<number> {
  await using local = await openLocal(args);
  const own = localHistory(local.store);
  const isHere = chosenNodes(args).length === 0;
  const running = isHere ? null : await runningHere(own, args.ref);
  if (isHere || running !== null) return await attach(own, running?.ref ?? args.ref, args, terminal, signal);
  await using builds = await openBuilds(args, terminal, signal);
  return await attach(builds.history, args.ref, args, terminal, signal);
}

/** A build on a builder whose client is a process of this machine: that tells more, such as how outputs come in. */
async function runningHere(own: BuildHistory, ref: string): Promise<BuildHistoryRecord | null> {
  if (ref === "" || ref.startsWith("^")) return null;
  const found = (await own.list({})).filter((record) => record.completedAt === null && record.ref.startsWith(ref));
  return found.length === 1 ? found[0]! : null;
}

async function attach(history: BuildHistory, begin: string, args: AttachArgs, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { ref } = await findBuild(history, begin, { signal });
  const mode = progressMode(args.progress, terminal);
  // Not the signal itself: the build is not being cancelled.
  await showProgress(followed(history, ref, { signal }), mode, terminal, new AbortController().signal);
  const record = await endOf(history, ref, signal);
  if (record === null) {
    terminal.stderr.write(`\nThe build goes on: "tbuild attach ${ref}" follows it again, "tbuild history cancel ${ref}" ends it\n`);
    return LEFT;
  }
  const failure = await buildFailure(history, record, {});
  if (failure === null) {
    if (mode !== "quiet" && mode !== "rawjson") terminal.stderr.write(`\nThe build ${ref} took ${durationOf(record)}\n`);
    return 0;
  }
  const output = mode === "plain" || mode === "rawjson" ? "shown" : "show";
  const columns = terminal.interactive ? terminal.columns() : 120;
  terminal.stderr.write(`\n${reportError(failure.error, { root: ".", output, columns, colours: terminal.colours, texts: failure.texts })}`);
  return exitCodeOf(failure.error);
}

/** The record of the build; null when nobody waits for it any more. */
async function endOf(history: BuildHistory, ref: string, signal: AbortSignal): Promise<BuildHistoryRecord | null> {
  if (signal.aborted) return null;
  try {
    return await history.ended(ref, { signal });
  } catch (error) {
    if (signal.aborted || hasCode(error, "cancelled")) return null;
    throw error;
  }
}
