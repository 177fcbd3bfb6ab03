import type { Builder } from "../../builder/builder.js";
import { imageId, isDangling } from "../../cache/images.js";
import type { ImageRecord } from "../../cache/meta/records.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { parseReference } from "../../cache/oci/reference.js";
import type { ImageFilter } from "../flags/imageFilter.js";
import { imageName, readImageConfig } from "../imageInfo.js";

/** An image of the store under one of its names. */
export interface SelectedImage {
  readonly record: ImageRecord;
  /** As people write it; null for a dangling image. */
  readonly name: string | null;
  /** Of its first platform. */
  readonly config: ImageConfig;
}

/** All names of images that the filter holds for, in the store's order. @throws {TbuildError} not_found for an image that the filter names */
export async function selectImages({ store }: Builder, filter: ImageFilter): Promise<readonly SelectedImage[]> {
  const createdOf = async (name: string) => created(await readImageConfig(store, imageId(store.images.resolve(name))));
  const before = await Promise.all(filter.before.map(createdOf));
  const since = await Promise.all(filter.since.map(createdOf));
  const images = await Promise.all(
    store.images.list().map(async (record) => ({ record, name: imageName(record), config: await readImageConfig(store, imageId(record)) })),
  );
  return images.filter(
    (image) =>
      (filter.dangling === null || isDangling(image.record) === filter.dangling) &&
      hasName(image.name, filter.references) &&
      hasLabels(image.config, filter.labels) &&
      before.every((time) => created(image.config) < time) &&
      since.every((time) => created(image.config) > time) &&
      (filter.until === null || lastMade(image) < filter.until),
  );
}

/** A name in its two parts; a dangling image has neither. */
export function splitName(name: string | null): { readonly repository: string; readonly tag: string } {
  if (name === null) return { repository: "<none>", tag: "<none>" };
  const { tag } = parseReference(name);
  // A name may have a digest too, by which it was pulled or pushed.
  const [plain = name] = name.split("@", 1);
  return { repository: tag === null ? plain : plain.slice(0, -tag.length - 1), tag: tag ?? "<none>" };
}

/** A pattern for a repository holds for all of its tags. */
function hasName(name: string | null, references: ImageFilter["references"]): boolean {
  return references.length === 0 || (name !== null && references.some((matches) => matches(name) || matches(splitName(name).repository)));
}

function hasLabels({ config }: ImageConfig, labels: ImageFilter["labels"]): boolean {
  const own = config?.Labels ?? {};
  return labels.every(({ key, value, wanted }) => (Object.hasOwn(own, key) && (value === null || own[key] === value)) === wanted);
}

function created(config: ImageConfig): number {
  return Date.parse(config.created ?? "") || 0;
}

/** An image whose config tells no time, or the epoch's, is as old as its name. */
function lastMade({ record, config }: SelectedImage): number {
  return Math.max(created(config), record.updatedAt);
}
