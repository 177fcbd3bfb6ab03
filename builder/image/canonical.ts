import {
  type ContainerConfig,
  type Descriptor,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type Index,
  inlineKey,
  type Manifest,
} from "../../cache/oci/descriptor.js";

// Order of fields as Go's image-spec and docker-image-spec structs marshal them, empty ones left out, so that the same
// image has the same digest whoever assembled the objects.

/** Canonical JSON of an image config. */
export function configJson(config: ImageConfig): Buffer {
  const platform = ["architecture", "os", "os.version", "os.features", "variant"] as const;
  return Buffer.from(
    JSON.stringify({
      ...ordered(config, ["created", "author", ...platform]),
      config: containerConfig(config.config ?? {}),
      rootfs: { type: "layers", diff_ids: config.rootfs.diff_ids },
      ...ordered({ history: (config.history ?? []).map(historyEntry) }, ["history"]),
      ...ordered(config, [inlineKey]),
    }),
  );
}

/** Canonical JSON of a manifest, indented as BuildKit writes it. */
export function manifestJson(manifest: Manifest): Buffer {
  const { schemaVersion, mediaType, config, layers } = manifest;
  const head = { schemaVersion, mediaType, config: descriptor(config), layers: layers.map(descriptor) };
  return indented({ ...head, ...ordered(withSortedMaps(manifest, ["annotations"]), ["annotations"]) });
}

/** Canonical JSON of an index, indented. */
export function indexJson(index: Index): Buffer {
  const { schemaVersion, mediaType, manifests } = index;
  return indented({
    schemaVersion,
    mediaType,
    manifests: manifests.map(descriptor),
    ...ordered(withSortedMaps(index, ["annotations"]), ["annotations"]),
  });
}

/** A descriptor with its fields in order, for JSON. */
export function descriptor(value: Descriptor): object {
  const sorted = withSortedMaps(value, ["annotations"]);
  return {
    mediaType: value.mediaType,
    digest: value.digest,
    size: value.size,
    ...ordered(sorted, ["urls", "annotations", "platform"]),
  };
}

function containerConfig(config: ContainerConfig): object {
  const own = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
  ] as const;
  const sorted = withSortedMaps(config, ["ExposedPorts", "Volumes", "Labels"]);
  const health = config.Healthcheck === undefined ? {} : { Healthcheck: healthcheck(config.Healthcheck) };
  return { ...ordered(sorted, own), ...health, ...ordered(config, ["OnBuild", "Shell"]) };
}

function healthcheck(value: Healthcheck): object {
  return ordered(value, ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"]);
}

function historyEntry(entry: HistoryEntry): object {
  return ordered(entry, ["created", "created_by", "author", "comment", "empty_layer"]);
}

function indented(value: object): Buffer {
  return Buffer.from(JSON.stringify(value, null, 2));
}

/** These fields of `value` in this order, without those that Go's omitempty leaves out. */
function ordered<T extends object>(value: T, keys: readonly (keyof T & string)[]): Record<string, unknown> {
  return Object.fromEntries(keys.flatMap((key) => (isEmpty(value[key]) ? [] : [[key, value[key]]])));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function withSortedMaps<T extends object>(value: T, keys: readonly (keyof T)[]): T {
  const sorted = keys.flatMap((key) => (isEmpty(value[key]) ? [] : [[key, sortedMap(value[key] as object)] as const]));
  return { ...value, ...Object.fromEntries(sorted) };
}

function sortedMap(map: object): object {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
