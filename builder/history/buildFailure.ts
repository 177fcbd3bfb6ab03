import type { Opts } from "../../cache/content/store.js";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { type Status, status as statusMessage } from "../api/common.js";
import { logTail, type LogTail } from "../ops/logTail.js";
import { RemoteError } from "../remote/connection.js";
import { fromRemote } from "../remote/remoteErrors.js";
import type { BuildHistory, BuildHistoryRecord } from "./buildHistory.js";

/** Why a build has failed, as it was said then. */
export interface BuildFailure {
  /** With the last lines of the step that failed. */
  readonly error: TbuildError;
  /** The files that the error points into, as they were. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The failure of a build that has ended; null when it succeeded. @throws {TbuildError} unavailable, corrupt */
export async function buildFailure(history: BuildHistory, record: BuildHistoryRecord, opts: Opts): Promise<BuildFailure | null> {
  const { error, externalError } = record;
  if (error === null || (error.code === 0 && error.message === "")) return null;
  const status = externalError === null ? error : await fullStatus(history, externalError.digest, opts);
  const vertex = json(status, "errdefs.Vertex")[0] as { readonly digest?: string } | undefined;
  const tail = logTail();
  if (vertex?.digest !== undefined) await readTail(history, record.ref, vertex.digest, tail, opts);
  const told = fromRemote(new RemoteError(status, undefined), { fileOf: (name) => name, tailOf: () => tail.lines(), logFileOf: () => null });
  return { error: isTbuildError(told) ? told : new TbuildError("unavailable", status.message), texts: textsOf(status) };
}

async function fullStatus(history: BuildHistory, digest: string, opts: Opts): Promise<Status> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of history.read(digest, opts)) chunks.push(chunk);
  return statusMessage.decode(Buffer.concat(chunks));
}

async function readTail(history: BuildHistory, ref: string, step: string, tail: LogTail, opts: Opts): Promise<void> {
  for await (const { logs } of history.status(ref, opts)) for (const { vertex, msg } of logs) if (vertex === step) tail.push(msg);
}

interface SourceDetail {
  readonly info?: { readonly filename?: string; readonly data?: string };
}

function textsOf(status: Status): ReadonlyMap<string, string> {
  const sources = json(status, "errdefs.Source") as readonly SourceDetail[];
  return new Map(sources.flatMap(({ info }) => (info?.filename === undefined ? [] : [[info.filename, Buffer.from(info.data ?? "", "base64").toString("utf8")]])));
}

/** Details of this name, as BuildKit writes them. */
function json({ details }: Status, name: string): readonly unknown[] {
  const found = details.filter(({ typeUrl }) => typeUrl.endsWith(`/${name}+json`));
  try {
    return found.map(({ value }) => JSON.parse(Buffer.from(value).toString("utf8")) as unknown);
  } catch {
    return [];
  }
}
