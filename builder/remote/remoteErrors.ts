import { errorCodes, type ErrorOptions, type ProcessFailure, type SourceRange, TbuildError, type WireError } from "../../cache/errors.js";
import type { Status } from "../api/common.js";
import { codeOfStatus, TBUILD_ERROR } from "../api/errors.js";
import { RemoteError } from "./connection.js";
import { rangeIn } from "./statusEvents.js";

/** What is known here of a build that failed there. */
export interface FailedBuild {
  /** The name that the user has for a file of the builder's. */
  fileOf(name: string): string;
  /** The last lines that a step printed, oldest first. */
  tailOf(vertex: string): readonly string[];
  /** Path of the file that has all of it; null when there is none. */
  logFileOf(vertex: string): string | null;
}

/**
 * The error of a builder as one of this process: that of tbuildd is the same one; of BuildKit's, place and exit status are
 * told as such, and the code is as good as its status. Other errors are returned as they are.
 */
export function fromRemote(error: unknown, build: FailedBuild): unknown {
  if (!(error instanceof RemoteError)) return error;
  const { status } = error;
  const own = detailOf(status, TBUILD_ERROR) as unknown as readonly WireError[] | null;
  return fromWires((own ?? []).map((wire) => placed(wire, build, outputOf(status, build))), error) ?? fromBuildkit(status, build, error);
}

/** The error that tbuildd tells as these; null for none. */
export function fromWires([first, ...others]: readonly WireError[], cause?: unknown): TbuildError | null {
  return first === undefined ? null : rebuilt(first, { cause, others: others.map((one) => rebuilt(one, {})) });
}

function placed(wire: WireError, { fileOf }: FailedBuild, output: StepOutput): WireError {
  const process = wire.process === undefined ? undefined : { ...wire.process, ...output };
  return { ...wire, at: wire.at === undefined ? undefined : { ...wire.at, file: fileOf(wire.at.file) }, process, stack: undefined };
}

function rebuilt({ code, message, hint, at, process }: WireError, options: Pick<ErrorOptions, "cause" | "others">): TbuildError {
  const known = errorCodes.find((name) => name === code) ?? "unavailable";
  return new TbuildError(known, plain(message), { hint: hint === undefined ? undefined : plain(hint), at, process, ...options });
}

/** What another machine says is text, and moves no cursor. */
function plain(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, "\ufffd");
}

function fromBuildkit(status: Status, build: FailedBuild, cause: unknown): TbuildError {
  const [message = "", ...hints] = status.message.replace(/^failed to solve: /, "").split("\nhint: ");
  const process = failureOf(status, build);
  return new TbuildError(process === undefined ? codeOfStatus(status.code) : "process_failed", plain(message), {
    cause,
    process,
    at: rangeOf(status, build),
    hint: hints.length === 0 ? undefined : plain(hints.join("; ")),
  });
}

function rangeOf(status: Status, { fileOf }: FailedBuild): SourceRange | undefined {
  const source = detailOf(status, "errdefs.Source");
  const { info, ranges } = (source ?? {}) as { readonly info?: { readonly filename?: string }; readonly ranges?: readonly Partial<JsonRange>[] };
  const full = (ranges ?? []).map(({ start, end }) => ({ start: positionOf(start), end: positionOf(end ?? start) }));
  return info === undefined ? undefined : (rangeIn(fileOf(info.filename ?? ""), full) ?? undefined);
}

interface JsonPosition {
  readonly line?: number;
  readonly character?: number;
}

interface JsonRange {
  readonly start: JsonPosition;
  readonly end: JsonPosition;
}

function positionOf(position: JsonPosition | undefined): { readonly line: number; readonly character: number } {
  return { line: position?.line ?? 1, character: position?.character ?? 0 };
}

function failureOf(status: Status, build: FailedBuild): ProcessFailure | undefined {
  const exit = detailOf(status, "gatewayapi.ExitMessage") as { readonly Code?: number } | null;
  if (exit === null) return undefined;
  const [, command = ""] = /process "(.*)" did not complete successfully/s.exec(status.message) ?? [];
  const outOfMemory = /cannot allocate memory|out of memory/i.test(status.message);
  return { argv: [command], exitCode: exit.Code ?? 1, signal: null, outOfMemory, ...outputOf(status, build) };
}

type StepOutput = Pick<ProcessFailure, "logTail" | "logFile">;

/** What the failed step printed, of which this process has kept all. */
function outputOf(status: Status, { tailOf, logFileOf }: FailedBuild): StepOutput {
  const vertex = (detailOf(status, "errdefs.Vertex") as { readonly digest?: string } | null)?.digest;
  if (vertex === undefined) return { logTail: [] };
  const logFile = logFileOf(vertex);
  return { logTail: tailOf(vertex), ...(logFile === null ? {} : { logFile }) };
}

/** A detail's JSON, or null. */
function detailOf({ details }: Status, name: string): Readonly<Record<string, unknown>> | null {
  const found = details.find(({ typeUrl }) => typeUrl.endsWith(`/${name}+json`));
  if (found === undefined) return null;
  try {
    return JSON.parse(Buffer.from(found.value).toString("utf8")) as Record<string, unknown>;
  } catch {
    return null;
  }
}
