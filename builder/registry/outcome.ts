import { isTbuildError } from "../../cache/errors.js";
import { unreachableRegistry, type RegistryTarget } from "./errors.js";
import { readBody, type HttpResponse } from "./http.js";
import type { Outcome } from "./retry.js";

const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ECONNABORTED", "ENETDOWN"]);

/** What a connection that broke means: try again, unless there is no hope. @throws {TbuildError} then, and errors of ours */
export function broken(target: RegistryTarget, what: string, cause: unknown): Outcome<never> {
  if (isTbuildError(cause)) throw cause;
  const error = unreachableRegistry(target, what, cause);
  if (!PASSING_CODES.has((cause as NodeJS.ErrnoException).code ?? "")) throw error;
  return { kind: "again", error, afterMs: null };
}

/** True for a status after which the same question may get another answer. */
export function mayPass(status: number): boolean {
  return PASSING_STATUS.has(status);
}

/** The registry's own words, on one line and short; empty when it has none. Reads the body. Source: distribution spec "Error Codes". */
export async function serverMessage(response: HttpResponse): Promise<string> {
  try {
    const body = JSON.parse((await readBody(response, 64 * 1024)).toString("utf8")) as { errors?: { code?: unknown; message?: unknown }[] };
    const [first] = body.errors ?? [];
    const words = [first?.message, first?.code].find((text): text is string => typeof text === "string") ?? "";
    return words.replaceAll(/\p{Cc}+/gu, " ").slice(0, 200);
  } catch {
    return "";
  }
}
