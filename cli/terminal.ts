/** What the program is attached to. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** True when stderr, where progress goes, is a terminal. */
  readonly interactive: boolean;
  readonly colours: boolean;
  columns(): number;
  rows(): number;
}

/** This process's own terminal. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  return {
    stdout,
    stderr,
    interactive: stderr.isTTY === true,
    colours: stderr.isTTY === true && (env["NO_COLOR"] ?? "") === "",
    columns: () => stderr.columns ?? 80,
    rows: () => stderr.rows ?? 24,
  };
}
