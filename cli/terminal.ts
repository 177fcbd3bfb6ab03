import { TbuildError } from "../cache/errors.js";

/** What the program is attached to. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** True when stderr, where progress goes, is a terminal that can move its cursor. */
  readonly interactive: boolean;
  readonly colours: boolean;
  /** Aborted when the reader of stdout or stderr has left, as `| head` does. */
  readonly closed: AbortSignal;
  readonly columns: () => number;
  readonly rows: () => number;
}

/** Hides the cursor and keeps long lines from wrapping. */
export const hideCursor = "\u001b[?25l\u001b[?7l";

/** Undoes {@link hideCursor}. */
export const showCursor = "\u001b[?7h\u001b[?25h";

/** This process's own terminal. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const interactive = stderr.isTTY && env["TERM"] !== "dumb";
  return {
    stdout,
    stderr,
    interactive,
    colours: interactive && (env["NO_COLOR"] ?? "") === "",
    closed: closedSignal([stdout, stderr]),
    // A terminal that does not know its size says 0.
    columns: () => stderr.columns || 80,
    rows: () => stderr.rows || 24,
  };
}

/** Without a listener the error of a closed pipe would end the process with a stack trace. */
function closedSignal(streams: readonly NodeJS.WritableStream[]): AbortSignal {
  const closed = new AbortController();
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") closed.abort(error);
  };
  for (const stream of streams) stream.on("error", onError);
  return closed.signal;
}

/** Writes a result and waits until it is out. @throws {TbuildError} resource_exhausted, unavailable */
export async function print(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (text === "") return;
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(writeError(error)) : resolve()));
  });
}

function writeError(error: NodeJS.ErrnoException): TbuildError {
  const code = error.code === "ENOSPC" ? "resource_exhausted" : "unavailable";
  return new TbuildError(code, `Cannot write to standard output: ${error.code ?? error.message}`, { cause: error });
}
