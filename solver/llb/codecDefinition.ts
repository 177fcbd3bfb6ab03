import type { SourcePosition, SourceRange } from "../../cache/errors.js";
import { type Digest, parseDigest } from "../../cache/oci/digest.js";
import type { Definition, SourceInfo, SourceMap } from "./definition.js";
import { type Codec, mapped, message } from "./message.js";
import { blob, blobs, child, childMap, children, flag, flagMap, int, text, textMap } from "./message.js";
import type { LinuxResources, OpMetadata } from "./op.js";
import { malformed } from "./wire.js";

interface WireMetadata extends Omit<OpMetadata, "caps" | "linuxResources"> {
  readonly caps: Readonly<Record<string, boolean>>;
  readonly linuxResources: LinuxResources | null;
}

const linuxResources = message<LinuxResources>({
  memory: int(1),
  memorySwap: int(2),
  cpuShares: int(3),
  cpuPeriod: int(4),
  cpuQuota: int(5),
  cpusetCpus: text(6),
  cpusetMems: text(7),
});

const metadata: Codec<OpMetadata> = mapped(
  message<WireMetadata>({
    ignoreCache: flag(1),
    description: textMap(2),
    caps: flagMap(5),
    progressGroup: child(6, message<NonNullable<OpMetadata["progressGroup"]>>({ id: text(1), name: text(2), weak: flag(3) })),
    linuxResources: child(7, linuxResources),
  }),
  ({ linuxResources = null, ...rest }) => ({
    ...rest,
    linuxResources,
    caps: Object.fromEntries(rest.caps.map((cap) => [cap, true])),
  }),
  ({ linuxResources, ...rest }) => ({
    ...rest,
    caps: Object.keys(rest.caps).filter((cap) => rest.caps[cap]),
    ...(linuxResources === null ? {} : { linuxResources }),
  }),
);

/** `pb.Range`. An absent end is the start. */
export interface WireRange {
  readonly start: WirePosition | null;
  readonly end: WirePosition | null;
}

/** `pb.Position`. Lines count from 1. */
export interface WirePosition {
  readonly line: number;
  /** Counts from 0. */
  readonly character: number;
}

interface WireLocation {
  readonly sourceIndex: number;
  readonly ranges: readonly WireRange[];
}

interface WireSource {
  readonly locations: Readonly<Record<string, { readonly locations: readonly WireLocation[] }>>;
  readonly infos: readonly SourceInfo[];
}

const position = message<WirePosition>({ line: int(1), character: int(2) });

/** See {@link WireRange}. */
export const wireRange = message<WireRange>({ start: child(1, position), end: child(2, position) });
const location = message<WireLocation>({ sourceIndex: int(1), ranges: children(2, wireRange) });
const locations = message<{ readonly locations: readonly WireLocation[] }>({ locations: children(1, location) });

/** `pb.SourceInfo`. */
export const sourceInfo = mapped(
  message<Required<SourceInfo>>({ filename: text(1), data: blob(2), definition: blob(3), language: text(4) }),
  ({ definition = new Uint8Array(), ...info }: SourceInfo) => ({ ...info, definition }),
  ({ definition, ...info }): SourceInfo => (definition.length === 0 ? info : { ...info, definition }),
);

const source = mapped(
  message<WireSource>({ locations: childMap(1, locations), infos: children(2, sourceInfo) }),
  sourceToWire,
  sourceFromWire,
);

interface WireDefinition {
  readonly def: readonly Uint8Array[];
  readonly metadata: Readonly<Record<string, OpMetadata>>;
  readonly source: SourceMap | null;
}

/** pb.Definition. */
export const definitionCodec: Codec<Definition> = mapped(
  message<WireDefinition>({ def: blobs(1), metadata: childMap(2, metadata), source: child(3, source) }),
  ({ def, metadata, source }) => ({
    def,
    metadata: Object.fromEntries(metadata),
    source: source.infos.length === 0 && source.locations.size === 0 ? null : source,
  }),
  ({ def, metadata, source }) => ({
    def,
    metadata: byDigest(metadata),
    source: source ?? { infos: [], locations: new Map() },
  }),
);

function byDigest<V>(record: Readonly<Record<string, V>>): Map<Digest, V> {
  return new Map(Object.entries(record).map(([key, value]) => [parseDigest(key), value]));
}

function sourceToWire({ infos, locations }: SourceMap): WireSource {
  const wire = [...locations].map(([digest, ranges]) => [digest, { locations: locationsToWire(ranges, infos) }] as const);
  return { infos, locations: Object.fromEntries(wire) };
}

/** Neighbours in the same file share a Location. */
function locationsToWire(ranges: readonly SourceRange[], infos: readonly SourceInfo[]): WireLocation[] {
  const wire: { sourceIndex: number; ranges: WireRange[] }[] = [];
  for (const { file, start, end } of ranges) {
    const sourceIndex = infos.findIndex(({ filename }) => filename === file);
    if (sourceIndex < 0) throw new Error(`Source range in "${file}", which is no source of the definition`);
    const last = wire.at(-1);
    const range = rangeToWire({ start, end });
    if (last?.sourceIndex === sourceIndex) last.ranges.push(range);
    else wire.push({ sourceIndex, ranges: [range] });
  }
  return wire;
}

function sourceFromWire({ infos, locations }: WireSource): SourceMap {
  const ranges = new Map<Digest, readonly SourceRange[]>();
  for (const [digest, { locations: list }] of Object.entries(locations)) {
    ranges.set(parseDigest(digest), list.flatMap((location) => rangesFromWire(location, infos)));
  }
  return { infos, locations: ranges };
}

function rangesFromWire({ sourceIndex, ranges }: WireLocation, infos: readonly SourceInfo[]): SourceRange[] {
  const file = infos[sourceIndex]?.filename;
  if (file === undefined) throw malformed(`a location names source ${sourceIndex}, which is missing`);
  const joined: SourceRange[] = [];
  for (const { start, end } of ranges) {
    const range = { file, start: positionFromWire(start), end: positionFromWire(end ?? start) };
    const last = joined.at(-1);
    if (last !== undefined && goesOn(last, range)) joined[joined.length - 1] = { ...last, end: range.end };
    else joined.push(range);
  }
  return joined;
}

/** BuildKit's frontends write an instruction of several lines as so many ranges, all without columns. */
function goesOn({ end }: SourceRange, next: SourceRange): boolean {
  return next.start.line === end.line + 1 && [end, next.start, next.end].every(({ column }) => column === 1);
}

/** A range as the wire has it, which does not name the file. */
export function rangeToWire({ start, end }: Pick<SourceRange, "start" | "end">): WireRange {
  return { start: positionToWire(start), end: positionToWire(end) };
}

function positionToWire({ line, column }: SourcePosition): WirePosition {
  return { line, character: column - 1 };
}

function positionFromWire(wire: WirePosition | null): SourcePosition {
  return { line: wire?.line ?? 0, column: (wire?.character ?? 0) + 1 };
}
