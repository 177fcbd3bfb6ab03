/** The secrets of one build. Values are read when first asked for, and kept in memory only. */
export interface SecretStore {
  /** The value, at most 500 KiB; null when the build was given none by this id. @throws {TbuildError} not_found, resource_exhausted */
  get(id: string): Buffer | null;
  /** Every value that was read so far, longest first: what must not reach a log. */
  known(): readonly { readonly id: string; readonly value: Buffer }[];
  /** Id of a secret whose whole value is in `text`, or null. Values too short to tell (under 6 bytes) are never found. */
  findIn(text: string): string | null;
}
