import { formatPlatform } from "../../cache/oci/platform.js";
import type { ResolvedSource, Source, SourceRequest } from "./source.js";

/** What sources have turned out to be in one build, for whoever tells of it afterwards. */
export interface SourcePins {
  note(request: SourceRequest, resolved: ResolvedSource): void;
  /** Undefined for what this build did not ask: another build at the same time may have. */
  get(request: SourceRequest): ResolvedSource | undefined;
}

/** Nothing known yet. */
export function sourcePins(): SourcePins {
  const known = new Map<string, ResolvedSource>();
  return {
    note: (request, resolved) => void known.set(keyOf(request), resolved),
    get: (request) => known.get(keyOf(request)),
  };
}

/** The same sources; what they find out is noted. */
export function notedBy(pins: SourcePins | undefined, sources: readonly Source[]): readonly Source[] {
  if (pins === undefined) return sources;
  return sources.map((source) => ({
    ...source,
    async resolve(request, opts) {
      const resolved = await source.resolve(request, opts);
      pins.note(request, resolved);
      return resolved;
    },
  }));
}

function keyOf({ identifier, attrs, platform }: SourceRequest): string {
  const sorted = Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([identifier, sorted, platform === null ? null : formatPlatform(platform)]);
}
