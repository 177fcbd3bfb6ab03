/** A secret's name and value. */
export interface KnownSecret {
  readonly id: string;
  readonly value: Buffer;
}

/** The secrets of one build. Values are read when first asked for, and kept in memory only. */
export interface SecretStore {
  /** The value, at most 500 KiB; null when the build was given none by this id. @throws {TbuildError} not_found, resource_exhausted */
  get(id: string): Buffer | null;
  /** Every value that was read so far, longest first: what must not reach a log. */
  known(): readonly KnownSecret[];
  /** Every value, without white space around it, that is long enough (6 bytes) to tell that a text has it from nowhere else. */
  telling(): readonly KnownSecret[];
  /** Id of a secret whose telling value is in `text`, or null. */
  findIn(text: string): string | null;
}
