import { closeSync, writeSync } from "node:fs";
import { Writable } from "node:stream";
import type { Progress } from "../solver/progress.js";
import type { BuildArgs } from "./args/build.js";
import type { Terminal } from "./terminal.js";

/** The build that this process is, in the background of the `tbuild --detach` that has started it. */
export interface BackgroundBuild {
  readonly ref: string;
  /** Leads to whoever has started it, until {@link BackgroundBuild.letGo}; then nowhere. */
  readonly terminal: Terminal;
  /** Passes events on, and lets go when the first step runs; a while later, too, unless standard input is to be read before. */
  watch(events: AsyncIterable<Progress>, stdin: "read" | "unused"): AsyncIterable<Progress>;
  /** Tells whoever has started it that it goes on by itself. May be called twice. */
  letGo(): void;
}

/** Names the build of a process in the background. */
export const REF_VARIABLE = "TBUILD_DETACHED";

/** What the process says last to whoever waits: all before it is for people. */
export const GOES_ON = "\0";

/** The end of a pipe that whoever waits reads. */
const PIPE = 3;

/** So long at most somebody waits for the first step to run. */
const WAIT_MS = 5000;

/** Whether a build reads standard input. */
export function stdinOf({ context, file }: Pick<BuildArgs, "context" | "file">): "read" | "unused" {
  return context === "-" || file === "-" ? "read" : "unused";
}

/** Null: this process is somebody's in the foreground. */
export function backgroundBuild(): BackgroundBuild | null {
  const ref = process.env[REF_VARIABLE] ?? "";
  if (ref === "") return null;
  // What it starts is not in the background of anybody.
  delete process.env[REF_VARIABLE];
  let pipe: "open" | "closed" = "open";
  const say = (text: string): void => {
    try {
      if (pipe === "open") writeSync(PIPE, text);
    } catch {
      // Nobody waits any more.
    }
  };
  const letGo = (): void => {
    if (pipe === "closed") return;
    say(GOES_ON);
    pipe = "closed";
    closeSync(PIPE);
  };
  return { ref, letGo, terminal: terminalOf(say), watch: (events, stdin) => watched(events, stdin, letGo) };
}

async function* watched(events: AsyncIterable<Progress>, stdin: "read" | "unused", letGo: () => void): AsyncGenerator<Progress> {
  const names = new Map<string, string>();
  const timer = stdin === "unused" ? setTimeout(letGo, WAIT_MS).unref() : undefined;
  for await (const event of events) {
    yield event;
    if (event.type === "vertex") names.set(event.vertex, event.name);
    if (event.type === "started" && names.get(event.vertex)?.startsWith("[internal]") === false) letGo();
  }
  clearTimeout(timer);
}

function terminalOf(say: (text: string) => void): Terminal {
  const stream = (write: (text: string) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        write(chunk.toString());
        done();
      },
    });
  return {
    stdout: stream(() => {}),
    stderr: stream(say),
    interactive: false,
    colours: false,
    closed: new AbortController().signal,
    columns: () => 120,
    rows: () => 24,
  };
}
