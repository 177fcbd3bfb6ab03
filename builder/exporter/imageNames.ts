import type { ImageManifestRecord } from "../../cache/meta/records.js";
import type { Store } from "../../cache/store.js";

/** Gives the image its names in the image store; without any it is kept as a dangling one. */
export async function nameImages({ images }: Store, names: readonly string[], records: readonly ImageManifestRecord[]): Promise<void> {
  if (names.length === 0) await images.putDangling(records);
  for (const name of names) await images.put(name, records);
}
