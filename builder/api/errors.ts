import { type ErrorCode, isTbuildError, type SourceRange, type TbuildError, toWire } from "../../cache/errors.js";
import { definitionCodec, rangeToWire } from "../../solver/llb/codecDefinition.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import { buildkitWords } from "./buildkitWords.js";
import type { Status } from "./common.js";

/** gRPC's status codes. Source: grpc.io "Status codes and their use in gRPC". */
export const grpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** Clients print the name of every code but "unknown" before the message: what a user did wrong in a Dockerfile has none. */
const codes: { readonly [C in ErrorCode]: number } = {
  usage: grpcCode.invalidArgument,
  invalid_argument: grpcCode.invalidArgument,
  invalid_digest: grpcCode.invalidArgument,
  invalid_reference: grpcCode.invalidArgument,
  parse_failed: grpcCode.unknown,
  not_found: grpcCode.notFound,
  already_exists: grpcCode.alreadyExists,
  unavailable: grpcCode.unavailable,
  unauthorized: grpcCode.unauthenticated,
  permission_denied: grpcCode.permissionDenied,
  unsupported: grpcCode.unimplemented,
  digest_mismatch: grpcCode.dataLoss,
  corrupt: grpcCode.dataLoss,
  path_escape: grpcCode.invalidArgument,
  resource_exhausted: grpcCode.resourceExhausted,
  process_failed: grpcCode.unknown,
  cancelled: grpcCode.cancelled,
};

const errorCodes: Readonly<Record<number, ErrorCode>> = {
  [grpcCode.cancelled]: "cancelled",
  [grpcCode.invalidArgument]: "invalid_argument",
  [grpcCode.deadlineExceeded]: "unavailable",
  [grpcCode.notFound]: "not_found",
  [grpcCode.alreadyExists]: "already_exists",
  [grpcCode.permissionDenied]: "permission_denied",
  [grpcCode.resourceExhausted]: "resource_exhausted",
  [grpcCode.failedPrecondition]: "invalid_argument",
  [grpcCode.outOfRange]: "invalid_argument",
  [grpcCode.unimplemented]: "unsupported",
  [grpcCode.dataLoss]: "corrupt",
  [grpcCode.unauthenticated]: "unauthorized",
};

/** What an error says beyond its code and message. */
export interface ErrorContext {
  /** The text that a range is in, so that the client can show its lines. */
  readonly source?: (file: string) => SourceInfo | undefined;
  /** Digest of the step that failed, whose output the client then repeats. */
  readonly vertex?: string | undefined;
  /** Everywhere that this step comes from, in the order in which its author has said so. */
  readonly places?: readonly SourceRange[];
}

/** An error as `google.rpc.Status`, with BuildKit's details. What is no {@link TbuildError} is internal. */
export function toStatus(error: unknown, context: ErrorContext = {}): Status {
  if (!isTbuildError(error)) {
    return { code: grpcCode.internal, message: error instanceof Error ? error.message : String(error), details: [] };
  }
  const all = [error, ...error.others];
  // The last place is the innermost one, and comes first.
  const more = (context.places ?? []).filter((place) => !isSame(place, error.at)).reverse();
  const details = [...more.flatMap((place) => sourceDetail(place, context)), ...all.flatMap((one) => sourceDetail(one.at, context)), ...ofStep(error, context), ownDetail(error)];
  return { code: codeOf(error), message: all.map(messageOf).join("\n"), details };
}

function isSame(a: SourceRange, b: SourceRange | undefined): boolean {
  return b !== undefined && a.file === b.file && a.start.line === b.start.line && a.end.line === b.end.line;
}

/** Name of the detail that has our errors themselves, for a client that is tbuild. */
export const TBUILD_ERROR = "tbuild.Errors";

/** Statuses travel as headers. */
const MAX_ERRORS = 50;

function ownDetail(error: TbuildError): Status["details"][number] {
  return detail(TBUILD_ERROR, wireErrors(error));
}

/** An error and its others as a client that is tbuild reads them; what that has itself, or is none of its business, is left out. */
export function wireErrors(error: TbuildError): readonly object[] {
  return [error, ...error.others].slice(0, MAX_ERRORS).map((one) => {
    const { stack: _, process, ...wire } = toWire(one);
    return process === undefined ? wire : { ...wire, process: { ...process, logTail: [], logFile: undefined } };
  });
}

/** BuildKit does not say what kind of error a mistake in a Dockerfile is. */
function codeOf(error: TbuildError): number {
  return buildkitWords(error)?.hasKind === false ? grpcCode.unknown : codes[error.code];
}

/** What a number of gRPC's comes to. */
export function codeOfStatus(code: number): ErrorCode {
  return errorCodes[code] ?? "unavailable";
}

/** BuildKit's words where there are any, which tools look for; else the message; and what to do about it. */
function messageOf(error: TbuildError): string {
  const { message, hint, process } = error;
  const failed = (argv: readonly string[]) => `process "${argv.join(" ")}" did not complete successfully`;
  const text = process === undefined ? (buildkitWords(error)?.text ?? message) : `${failed(process.argv)}: ${exitText(process)}`;
  return hint === undefined ? text : `${text}\nhint: ${hint}`;
}

function exitText({ exitCode, outOfMemory }: { readonly exitCode: number; readonly outOfMemory: boolean }): string {
  return `exit code: ${exitCode}${outOfMemory ? ": cannot allocate memory" : ""}`;
}

/** The lines that a range is in, when their text is known. */
export function sourceDetail(at: SourceRange | undefined, { source }: ErrorContext): Status["details"] {
  const info = at === undefined ? undefined : source?.(at.file);
  if (at === undefined || info === undefined) return [];
  const { filename, language, definition } = info;
  const graph = definition === undefined ? {} : { definition: { def: definitionCodec.decode(definition).def.map(base64) } };
  const text = { filename, data: base64(info.data), language, ...graph };
  return [detail("errdefs.Source", { info: text, ranges: linesOf(at).map(rangeToWire) })];
}

/** BuildKit has a range for each line. */
function linesOf(at: SourceRange): readonly SourceRange[] {
  const { start, end } = at;
  if (end.line <= start.line) return [at];
  const lines = Array.from({ length: end.line - start.line - 1 }, (_, index) => ({ line: start.line + index + 1, column: 1 }));
  const whole = [start, ...lines, { line: end.line, column: 1 }];
  return whole.map((from) => ({ ...at, start: from, end: from.line === end.line ? end : from }));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function ofStep({ process }: TbuildError, { vertex }: ErrorContext): Status["details"] {
  return [
    ...(process === undefined ? [] : [detail("gatewayapi.ExitMessage", { Code: process.exitCode })]),
    ...(vertex === undefined ? [] : [detail("errdefs.Vertex", { digest: vertex })]),
  ];
}

/** A detail of a status: JSON, though it is where protobuf would have a message. Source: BuildKit, util/grpcerrors. */
export function detail(name: string, value: object): Status["details"][number] {
  return { typeUrl: `github.com/moby/buildkit/${name}+json`, value: Buffer.from(JSON.stringify(value)) };
}
