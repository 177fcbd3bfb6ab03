import { type BuildHistory, findBuild } from "../../builder/history/buildHistory.js";
import { TbuildError } from "../../cache/errors.js";
import type { HistoryArgs } from "../args/history.js";
import { followed } from "../builds/followed.js";
import { inspected } from "../builds/inspected.js";
import { listed } from "../builds/listed.js";
import { openBuilds, openLocal } from "../builds/openBuilds.js";
import { progressMode, showProgress } from "../progress/mode.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/** `tbuild history`: what the store, or a builder, remembers of its builds. Returns what goes to stdout. @throws {TbuildError} */
export async function historyCommand(args: HistoryArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  if (args.verb === "cancel") return await cancelled(args, signal);
  if (args.verb === "import") return await imported(args, signal);
  await using builds = await openBuilds(args, terminal, signal);
  const { history } = builds;
  const [ref = ""] = args.words;
  switch (args.verb) {
    case "ls":
      return listed(await history.list({ signal }), args.filters, args.format);
    case "inspect":
      return await inspected(history, await findBuild(history, ref, { signal }), args.format, { signal });
    case "logs": {
      const { ref: whole } = await findBuild(history, ref, { signal });
      await showProgress(followed(history, whole, { signal }), progressMode(args.progress, terminal), terminal, signal);
      return "";
    }
    case "rm":
      return await removed(history, args, signal);
    case "export":
      return await exported(history, args, signal);
  }
}

async function removed(history: BuildHistory, { words, all }: HistoryArgs, signal: AbortSignal): Promise<string> {
  const ended = async () => (await history.list({ signal })).filter(({ completedAt }) => completedAt !== null);
  // All before the first goes: ^1 is another one then.
  const wanted = all ? await ended() : await Promise.all(words.map((begin) => findBuild(history, begin, { signal })));
  const lines: string[] = [];
  for (const { ref } of wanted) {
    await history.remove(ref, { signal });
    lines.push(`Removed: ${ref}\n`);
  }
  return lines.join("");
}

async function exported(history: BuildHistory, { words, all, output }: HistoryArgs, signal: AbortSignal): Promise<string> {
  if (output === undefined && process.stdout.isTTY) throw usage("Refusing to write builds to the terminal", "Name a file with -o, or redirect the output");
  const done = (await history.list({ signal })).filter(({ completedAt }) => completedAt !== null);
  // The last build may be running.
  const wanted = words.length > 0 ? words : [done[0]?.ref ?? ""];
  const records = all ? done : await Promise.all(wanted.map((ref) => findBuild(history, ref, { signal })));
  const running = records.find(({ completedAt }) => completedAt === null);
  if (running !== undefined) throw new TbuildError("unavailable", `Cannot export the build "${running.ref}": it is running`);
  const { exportBuilds } = await import("../../builder/history/bundle/exportBuilds.js");
  await exportBuilds(history, records, { dest: output ?? "-", stdout: process.stdout }, { signal });
  return "";
}

async function imported(args: HistoryArgs, signal: AbortSignal): Promise<string> {
  if (args.builder !== undefined) throw new TbuildError("unsupported", `Cannot import builds into the builder "${args.builder}": BuildKit's protocol has no call for that`, { hint: "Leave out --builder and $TBUILD_HOST: they come into the store of this machine" });
  await using builder = await openLocal(args);
  const { importBuilds } = await import("../../builder/history/bundle/importBuilds.js");
  const lines: string[] = [];
  for (const file of args.words) lines.push(...(await importBuilds(builder.store, file, { signal })).map((ref) => `Imported: ${ref}\n`));
  return lines.join("");
}

/** It is the process that has started a build, on this machine, which ends it: builders have no call for that. */
async function cancelled(args: HistoryArgs, signal: AbortSignal): Promise<string> {
  await using builder = await openLocal(args);
  const { cancelBuild } = await import("../../builder/history/cancelBuild.js");
  const lines: string[] = [];
  for (const ref of args.words) lines.push(`Cancelled: ${await cancelBuild(builder.store, ref, { signal })}\n`);
  return lines.join("");
}
