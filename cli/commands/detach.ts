import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { newRef } from "../../builder/history/newRef.js";
import { TbuildError } from "../../cache/errors.js";
import type { BuildArgs } from "../args/build.js";
import { GOES_ON, REF_VARIABLE, stdinOf } from "../background.js";
import { parseCall } from "../flags/call.js";
import { parseOutput } from "../outputs.js";
import { print, type Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/**
 * Starts a build in a process and session of its own, and waits until its first step runs: what is wrong before that is told here, with
 * its exit status. Else prints the build's ref. `words` is the command line. @throws {TbuildError} usage, unavailable
 */
export async function detachCommand(args: BuildArgs, words: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  refuseAnswers(args);
  const ref = newRef();
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...words], {
    detached: true,
    stdio: [stdinOf(args) === "read" ? "inherit" : "ignore", "ignore", "ignore", "pipe"],
    env: { ...process.env, [REF_VARIABLE]: ref },
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("exit", resolve));
  ended.catch(() => {});
  const onInterrupt = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", onInterrupt);
  const said = await saidBy(child.stdio[3] as Readable);
  if (!said.endsWith(GOES_ON)) {
    const status = await ended;
    if (said === "") throw new TbuildError("unavailable", `The process that was to build in the background has ended at once, with status ${status ?? "none"}`);
    await print(terminal.stderr, said);
    return status ?? 1;
  }
  signal.removeEventListener("abort", onInterrupt);
  child.unref();
  await print(terminal.stderr, said.slice(0, -GOES_ON.length));
  if (terminal.interactive) await print(terminal.stderr, `The build goes on in the background: tbuild attach ${ref.slice(0, 12)} follows it\n`);
  await print(terminal.stdout, `${ref}\n`);
  return 0;
}

async function saidBy(pipe: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of pipe as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** What is printed when it is there needs somebody who reads it. */
function refuseAnswers({ call, output }: BuildArgs): void {
  if (parseCall(call) !== null) throw usage("Cannot ask something of the Dockerfile with --detach: the answer would be lost", "Leave out --detach");
  if (output.some((text) => parseOutput(text).attrs["dest"] === "-")) throw usage("Cannot write to standard output with --detach", "Name a file");
}
