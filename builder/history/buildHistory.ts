import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { buildHistoryRecord } from "../api/history.js";
import type { Decoded } from "../api/schema.js";
import type { StatusMessage } from "../api/status.js";

/** A build that is remembered, or runs. Times in milliseconds since the epoch; one that runs has no `completedAt`. */
export type BuildHistoryRecord = Decoded<typeof buildHistoryRecord>;

/** The builds that a store or a builder remembers. */
export interface BuildHistory {
  /** Whose builds these are, as a sentence says it: `The store "/x"`. */
  readonly name: string;
  /** Newest first. @throws {TbuildError} unsupported, unavailable */
  list(opts: Opts): Promise<readonly BuildHistoryRecord[]>;
  /** What a build told, from its begin to its end; of one that runs, as it goes on. @throws {TbuildError} not_found, unavailable */
  status(ref: string, opts: Opts): AsyncIterable<StatusMessage>;
  /** The record of a build, as soon as it has ended. @throws {TbuildError} not_found, unavailable */
  ended(ref: string, opts: Opts): Promise<BuildHistoryRecord>;
  /** Bytes of a blob that a record names. @throws {TbuildError} not_found, unavailable */
  read(digest: string, opts: Opts): AsyncIterable<Uint8Array>;
  /** Forgets a build. @throws {TbuildError} not_found, unavailable while it runs */
  remove(ref: string, opts: Opts): Promise<void>;
}

/**
 * The build whose ref begins so; "" is the last one, and "^2" the second before it.
 * @throws {TbuildError} not_found, invalid_argument when there are several
 */
export async function findBuild(history: BuildHistory, ref: string, opts: Opts): Promise<BuildHistoryRecord> {
  const records = await history.list(opts);
  if (ref === "" || ref.startsWith("^")) return before(records, ref, history.name);
  const found = records.filter((record) => record.ref.startsWith(ref));
  const exact = found.find((record) => record.ref === ref) ?? found[0];
  if (exact === undefined) throw notFound(`Cannot find the build "${ref}": ${history.name} does not remember it`);
  if (found.length === 1 || exact.ref === ref) return exact;
  throw new TbuildError("invalid_argument", `"${ref}" is the begin of ${found.length} builds`, { hint: "Give more of its ref" });
}

function before(records: readonly BuildHistoryRecord[], ref: string, name: string): BuildHistoryRecord {
  const count = ref === "" ? 0 : Number(/^\^(\d{1,9})$/.exec(ref)?.[1] ?? NaN);
  if (Number.isNaN(count)) throw new TbuildError("invalid_argument", `Cannot read "${ref}": "^" takes a number of builds`, { hint: "^1 is the build before the last one" });
  const found = records[count];
  if (found !== undefined) return found;
  throw notFound(records.length === 0 ? `${name} remembers no build` : `Cannot find the build "${ref}": ${name} remembers ${records.length}`);
}

function notFound(message: string): TbuildError {
  return new TbuildError("not_found", message, { hint: "tbuild history ls lists those that are remembered" });
}
