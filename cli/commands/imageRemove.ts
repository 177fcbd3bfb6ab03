import type { Builder } from "../../builder/builder.js";
import { hasCode, TbuildError } from "../../cache/errors.js";
import { imageId, isDangling, isNamed } from "../../cache/images.js";
import type { ImageRecord } from "../../cache/meta/records.js";
import { imageName } from "../imageInfo.js";

/** How far a removal goes: one name, or all names of an ID; a missing image is an error, or told with `missing`. */
export type RemoveMode = { readonly kind: "strict" } | { readonly kind: "force"; readonly missing: (error: TbuildError) => void };

/**
 * `tbuild image rm`. Everything is looked up first, so that a misspelt name removes nothing.
 * @throws {TbuildError} not_found, invalid_argument for an ID with several names
 */
export async function removeImages({ store }: Builder, names: readonly string[], mode: RemoveMode): Promise<string> {
  const records = new Set<ImageRecord>();
  const seen = new Set<string>();
  for (const name of names) {
    for (const record of found(store.images, name, mode)) {
      if (!seen.has(record.name)) records.add(record);
      seen.add(record.name);
    }
  }
  for (const { name } of records) await store.images.remove(name);
  return [...records].map(removedLine).join("");
}

/** The line that tells of an image's removal. */
export function removedLine(record: ImageRecord): string {
  return isDangling(record) ? `Deleted: ${imageId(record)}\n` : `Untagged: ${imageName(record)}\n`;
}

function found(images: Builder["store"]["images"], name: string, mode: RemoveMode): readonly ImageRecord[] {
  try {
    const record = images.resolve(name);
    if (isNamed(record, name)) return [record];
    const all = images.byId(name);
    if (all.length === 1 || mode.kind === "force") return all;
    const tags = all.flatMap((one) => imageName(one) ?? []).join(", ");
    throw new TbuildError("invalid_argument", `Cannot remove image "${name}": it has several names, ${tags}`, { hint: "Name one of them, or use -f to remove all" });
  } catch (error) {
    if (mode.kind === "strict" || !hasCode(error, "not_found")) throw error;
    mode.missing(error as TbuildError);
    return [];
  }
}
