import type { Opts } from "../../cache/content/store.js";
import type { TypeAndAttrs } from "../api/common.js";
import { finalizeExport, findExporters } from "../api/session.js";
import { ask } from "./calls.js";
import { callStatusOf } from "./callStatus.js";
import type { Session } from "./session.js";

/** A frontend's result, as a client is asked about it. */
export interface ExportQuestion {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly refs: readonly string[];
}

/** The outputs that a client wants besides those of its request; none of one that cannot say. @throws {TbuildError} as the client refuses */
export async function sessionExporters(session: Session, question: ExportQuestion, opts: Opts): Promise<readonly TypeAndAttrs[]> {
  return (await unlessAbsent(ask(session, findExporters, question, opts)))?.exporters ?? [];
}

/** Tells a client what its outputs have come to. @throws {TbuildError} when it is not content with that */
export async function tellExported(session: Session, response: Readonly<Record<string, string>>, opts: Opts): Promise<void> {
  await unlessAbsent(ask(session, finalizeExport, { response }, opts));
}

/** gRPC's UNIMPLEMENTED and UNAVAILABLE. */
const ABSENT = [12, 14];

async function unlessAbsent<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (ABSENT.includes(callStatusOf(error)?.code ?? -1)) return null;
    throw error;
  }
}
