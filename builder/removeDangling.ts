import { hasCode } from "../cache/errors.js";
import { isDangling } from "../cache/images.js";
import type { Store } from "../cache/store.js";

/** Lets go of the images that have lost their name, so that a prune takes them. */
export async function removeDangling({ images }: Pick<Store, "images">): Promise<void> {
  for (const { name } of images.list().filter(isDangling)) {
    // Another process may have been quicker.
    await images.remove(name).catch((error: unknown) => {
      if (!hasCode(error, "not_found")) throw error;
    });
  }
}
