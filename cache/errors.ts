/** One place in a text file that the user wrote. Lines and columns count from 1; `end` is inclusive of the line. */
export interface SourceRange {
  /** Path as the user knows it, for example "Dockerfile". */
  readonly file: string;
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

/** A position in a text file. `line` and `column` count from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Every code that a user-facing error can carry. Exit statuses, wire statuses and docs are tables over this list,
 * which is why it is kept in one place.
 */
export const errorCodes = [
  "usage", // the command line is wrong
  "invalid_argument", // a value is malformed or refused
  "invalid_digest",
  "invalid_reference",
  "parse_failed", // Dockerfile, JSON, TOML, tar: the text or bytes do not follow the grammar
  "not_found",
  "already_exists",
  "unavailable", // held by another process, or a server that does not answer
  "unauthorized",
  "permission_denied",
  "unsupported",
  "digest_mismatch",
  "corrupt", // bytes at rest or on the wire are not what they claim to be
  "path_escape", // a name that would leave its root
  "resource_exhausted", // disk full, too large, too many
  "process_failed", // a RUN step ended with a non-zero status or a signal
  "cancelled",
] as const;

/** See {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** What a failed process leaves behind for the report. */
export interface ProcessFailure {
  readonly argv: readonly string[];
  /** Exit status; 128 + n when signal n ended the process. */
  readonly exitCode: number;
  /** Name of that signal, such as "SIGKILL", or null. */
  readonly signal: string | null;
  /** True when the kernel's out-of-memory killer ended it. */
  readonly outOfMemory: boolean;
  /** Last lines of combined output, oldest first, without newlines. */
  readonly logTail: readonly string[];
  /** Path of the file that has all of the output. */
  readonly logFile?: string;
}

/** Options of {@link TbuildError}. */
export interface ErrorOptions {
  readonly at?: SourceRange | undefined;
  /** What the user can do about it; one sentence, no full stop. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly process?: ProcessFailure | undefined;
  /** Further errors of the same pass, for example every mistake of one Dockerfile. */
  readonly others?: readonly TbuildError[] | undefined;
}

const brand = Symbol.for("tbuild.error");

/**
 * The only error class that reaches users. Message: sentence case, no full stop, values quoted, says what was
 * attempted (`Cannot copy "src/": no such path in build context`). Never contains credentials.
 */
export class TbuildError extends Error {
  readonly code: ErrorCode;
  readonly at: SourceRange | undefined;
  readonly hint: string | undefined;
  readonly process: ProcessFailure | undefined;
  readonly others: readonly TbuildError[];
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TbuildError";
    this.code = code;
    this.at = options.at;
    this.hint = options.hint;
    this.process = options.process;
    this.others = options.others ?? [];
  }
}

/** True for a {@link TbuildError} of any copy of this package; survives bundling and worker threads. */
export function isTbuildError(error: unknown): error is TbuildError {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[brand] === true;
}

/** True when `error` is a {@link TbuildError} with this code. Callers branch on this, never on text. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return isTbuildError(error) && error.code === code;
}

/** `error` with a source range, unless it already names one. Other errors are returned as they are. */
export function withRange(error: unknown, at: SourceRange | undefined): unknown {
  if (!isTbuildError(error) || error.at !== undefined || at === undefined) return error;
  const { code, message, hint, cause, process, others } = error;
  return new TbuildError(code, message, { at, hint, cause, process, others });
}

/** A broken invariant of ours; never caused by input. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)}`);
}

/** The error that an aborted signal stands for. */
export function cancelled(signal?: AbortSignal): TbuildError {
  return new TbuildError("cancelled", "Build cancelled", { cause: signal?.reason });
}

/** Plain-data form of an error for worker threads and sockets. */
export interface WireError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly hint: string | undefined;
  readonly at: SourceRange | undefined;
  readonly process: ProcessFailure | undefined;
  readonly stack: string | undefined;
}

/** Plain data that {@link fromWire} turns back into an error. A code of null marks a broken invariant. */
export function toWire(error: unknown): WireError {
  if (isTbuildError(error)) {
    const { code, message, hint, at, process, stack } = error;
    return { code, message, hint, at, process, stack };
  }
  const other = fromSystemError(error);
  if (isTbuildError(other)) return toWire(other);
  const plain = error instanceof Error ? error : new Error(String(error));
  return { code: null, message: plain.message, hint: undefined, at: undefined, process: undefined, stack: plain.stack };
}

/** Inverse of {@link toWire}. */
export function fromWire(wire: WireError): Error {
  const error =
    wire.code === null
      ? new Error(wire.message)
      : new TbuildError(wire.code, wire.message, { hint: wire.hint, at: wire.at, process: wire.process });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

/**
 * Turns a full disk or quota (ENOSPC, EDQUOT) into `resource_exhausted`; other errors are returned as they are. `written`
 * is what was being written, as the user knows it: write(2) itself does not say.
 */
export function fromSystemError(error: unknown, written?: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (isTbuildError(error) || (code !== "ENOSPC" && code !== "EDQUOT")) return error;
  const path = written ?? (error as NodeJS.ErrnoException).path;
  const where = path === undefined ? "" : ` "${path}"`;
  return new TbuildError("resource_exhausted", `Cannot write${where}: no space left on device`, {
    cause: error,
    hint: "Free space, or run `tbuild prune`",
  });
}
