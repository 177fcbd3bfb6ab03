import type { TlsFiles } from "../../builder/remote/tlsFiles.js";
import { usage } from "../usage.js";

/** Options that every command takes. */
export interface GlobalArgs {
  readonly root: string | undefined;
  readonly config: string | undefined;
}

/** A builder elsewhere, as typed. */
export interface BuilderArgs {
  /** A name or an address; undefined is the one in use. */
  readonly builder: string | undefined;
  readonly tls: TlsFiles;
}

/** See {@link BuilderArgs}; $TBUILD_HOST stands in for `--builder`, as $BUILDKIT_… do for buildctl's. */
export function builderOf(values: Values): BuilderArgs {
  return {
    builder: last(values, "builder") ?? (process.env["TBUILD_HOST"] || undefined),
    tls: tlsOf(values),
  };
}

/** What `--tlscacert` and its like say. */
export function tlsOf(values: Values): TlsFiles {
  return {
    caCert: last(values, "tlscacert"),
    cert: last(values, "tlscert"),
    key: last(values, "tlskey"),
    serverName: last(values, "tlsservername"),
    dir: last(values, "tlsdir"),
  };
}

/** What yargs makes of a command line: options by their long name, words under "_". */
export type Values = Readonly<Record<string, unknown>>;

/** Values of an option that may be given several times, in order. */
export function list(values: Values, name: string): readonly string[] {
  const value = values[name];
  return value === undefined ? [] : [value].flat().map(String);
}

/** An option given twice has its last value, as Docker's has; an empty one counts as not given. */
export function last(values: Values, name: string): string | undefined {
  return list(values, name).at(-1) || undefined;
}

/** True when the last of `--name`, `--name=false` … says so. */
export function flag(values: Values, name: string): boolean {
  return last(values, name) === "true";
}

/** See {@link GlobalArgs}. */
export function globals(values: Values): GlobalArgs {
  return { root: last(values, "root"), config: last(values, "config") };
}

/** Words that are no options, without the `depth` words of the command itself. */
export function words(values: Values, depth: number): readonly string[] {
  return (values["_"] as readonly (string | number)[]).slice(depth).map(String);
}

/** The words, when there are as many as the command takes. @throws {TbuildError} usage */
export function counted(given: readonly string[], range: readonly [number, number], form: string): readonly string[] {
  const [least, most] = range;
  if (given.length < least) throw usage(`"tbuild ${form.split(" ", 2).join(" ")}" needs more words`, `Write tbuild ${form}`);
  if (given.length > most) throw usage(`Unexpected word "${given[most]}"`, `Write tbuild ${form}`);
  return given;
}
