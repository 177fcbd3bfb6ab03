import type { Opts } from "../../cache/content/store.js";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { TypeAndAttrs } from "../api/common.js";
import { controlService } from "../api/control.js";
import { grpcCode } from "../api/errors.js";
import { type FrontendResultMessage, gatewayService } from "../api/gateway.js";
import type { BuildLogs } from "../logs/buildLogs.js";
import { type BuilderCaps, capsOf } from "./builderCaps.js";
import { type Connection, RemoteError } from "./connection.js";
import { followStatus } from "./followStatus.js";
import type { FrontendAttrs } from "./frontendAttrs.js";
import { fromRemote } from "./remoteErrors.js";
import { digestFrom } from "./statusEvents.js";
import type { writtenPolicy } from "./writtenPolicy.js";

/** What a builder is asked to do. */
export interface RemoteSolve {
  /** Name of the build, chosen here. */
  readonly ref: string;
  /** "unrecorded": the builder's history does not have it. */
  readonly history: "recorded" | "unrecorded";
  readonly session: string;
  readonly exporters: readonly TypeAndAttrs[];
  readonly entitlements: readonly string[];
  readonly attrs: FrontendAttrs;
  /** Caches that it keeps its results in. */
  readonly cacheExports: readonly TypeAndAttrs[];
  /** What may be read; null for everything. */
  readonly sourcePolicy: ReturnType<typeof writtenPolicy>;
  /** The session that is asked about each source besides; "" for none. */
  readonly sourcePolicySession: string;
  /** Hears what the builder can do before it does anything. @throws {TbuildError} unsupported */
  check(caps: BuilderCaps): void;
  /** The name that the user has for a file of the builder's. */
  fileOf(name: string): string;
}

/** What came of it. */
export interface RemoteResult {
  /** Exporter response. */
  readonly response: Readonly<Record<string, string>>;
  /** What the frontend answered, beside trees; null where it answered nothing. */
  readonly frontend: FrontendResultMessage | null;
}

const FRONTEND = "dockerfile.v0";
/** The last that a builder tells of a build may come after its end. */
const LAST_WORDS_MS = 5_000;
/** What a cancelled build runs is ended first. */
const CANCEL_MS = 10_000;

/**
 * Runs the Dockerfile's frontend on a builder and exports its result; reports what the builder tells meanwhile. Aborting
 * cancels there, too. @throws {TbuildError} why the build failed; unavailable, with what was running, when the connection is lost
 */
export async function solveOn(connection: Connection, solve: RemoteSolve, logs: Pick<BuildLogs, "report" | "fileOf">, { signal }: Opts): Promise<RemoteResult> {
  const { ref, session, exporters, entitlements, attrs, cacheExports, sourcePolicy, sourcePolicySession } = solve;
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const status = followStatus(connection, ref, solve.fileOf, logs.report);
  try {
    const request = { ref, internal: solve.history === "unrecorded", session, exporters, entitlements, frontendAttrs: attrs, cache: { exports: cacheExports }, sourcePolicy, sourcePolicySession };
    const solving = connection.ask(controlService, "Solve", request, { signal: stop });
    const driving = drive(connection, ref, solve, stop);
    const [{ exporterResponse }, frontend] = await Promise.all([solving, driving]);
    await status.ended(LAST_WORDS_MS);
    return { response: exporterResponse, frontend };
  } catch (error) {
    over.abort();
    if (!connection.closed.aborted) await status.ended(signal?.aborted === true ? CANCEL_MS : LAST_WORDS_MS);
    if (signal?.aborted === true) throw cancelled(signal);
    if (connection.closed.aborted) throw lostWhile(error, connection, status.running());
    throw fromRemote(error, { fileOf: solve.fileOf, tailOf: status.tailOf, logFileOf: (vertex) => logs.fileOf(digestFrom(vertex)) });
  } finally {
    status.stop();
  }
}

/** The client's half of a build: a frontend that hands on to the builder's own. Source: BuildKit, client/build.go. */
async function drive(connection: Connection, ref: string, { attrs, check }: RemoteSolve, signal: AbortSignal): Promise<FrontendResultMessage | null> {
  const opts = { metadata: { "buildkit-controlapi-buildid": ref }, signal };
  try {
    check(capsOf(await connection.ask(gatewayService, "Ping", {}, opts)));
    const asked = { frontend: FRONTEND, frontendOpt: attrs, allowResultReturn: true, allowResultArrayRef: true };
    const { result } = await connection.ask(gatewayService, "Solve", asked, opts);
    await connection.ask(gatewayService, "Return", { result }, opts);
    return result;
  } catch (error) {
    const told = error instanceof RemoteError ? error.status : { code: grpcCode.cancelled, message: (error as Error).message, details: [] };
    await connection.ask(gatewayService, "Return", { error: told }, { ...opts, signal: undefined, timeoutMs: LAST_WORDS_MS }).catch(() => {});
    throw error;
  }
}

const MAX_SHOWN = 3;

/** The connection is gone, and with it the build. */
function lostWhile(error: unknown, { shown, closed, unanswered }: Connection, running: readonly string[]): TbuildError {
  const reason = closed.reason as TbuildError;
  // A program that was to lead there says why it does not.
  if (running.length === 0 && reason.message.startsWith("Cannot reach")) return reason;
  const silence = unanswered();
  if (silence !== null) return silence;
  const named = running.slice(0, MAX_SHOWN).map((name) => `"${name}"`).join(", ");
  const more = running.length > MAX_SHOWN ? `, and ${running.length - MAX_SHOWN} more` : "";
  const doing = running.length === 0 ? "before it ran a step" : `while it ran ${named}${more}`;
  return new TbuildError("unavailable", `Lost the connection to the builder "${shown}" ${doing}`, {
    cause: error,
    hint: "What was built until then is in its cache: build again",
  });
}
