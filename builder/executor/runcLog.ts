/** Why the runtime could not run the process. `exitCode` is the shell's for a command that is missing or not executable. */
export interface RuntimeFailure {
  readonly message: string;
  /** 127 or 126 when the command is at fault, null when the container could not be made. */
  readonly exitCode: 126 | 127 | null;
}

/** The last error of the runtime's JSON log; null when the log has none, because the process itself failed. */
export function runtimeError(log: string): RuntimeFailure | null {
  const messages = log.split("\n").flatMap(errorMessage);
  const last = messages.at(-1);
  if (last === undefined) return null;
  const message = last.replace(/^.*unable to start container process: /, "").replace(/^container_linux\.go:\d+: /, "");
  if (/executable file not found|no such file or directory/.test(message) && /\bexec\b/.test(message)) return { message, exitCode: 127 };
  if (/permission denied|exec format error|is a directory/.test(message) && /\bexec\b/.test(message)) return { message, exitCode: 126 };
  return { message, exitCode: null };
}

function errorMessage(line: string): string[] {
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return entry.level === "error" && typeof entry.msg === "string" ? [entry.msg] : [];
  } catch {
    return [];
  }
}
