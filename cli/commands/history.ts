import type { Builder } from "../../builder/builder.js";
import { imageId } from "../../cache/images.js";
import { formatCreated } from "../age.js";
import type { ListFormat } from "../args/image.js";
import { readImageConfig } from "../imageInfo.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatTable } from "../table.js";

const MAX_COMMAND = 60;

/** `tbuild image history`: newest entry first. @throws {TbuildError} not_found */
export async function imageHistory({ store }: Builder, name: string, format: ListFormat): Promise<string> {
  const record = store.images.resolve(name);
  const { history = [] } = await readImageConfig(store, imageId(record));
  const sizes = (record.manifests[0]?.layers ?? []).map(({ snapshot }) => store.meta.layers.get(snapshot)?.size ?? 0);
  // Layers belong in order to the entries that are not empty.
  const rows = history.map((entry) => ({ ...entry, size: entry.empty_layer === true ? 0 : (sizes.shift() ?? 0) })).reverse();
  if (format === "json") return `${JSON.stringify(rows, null, 2)}\n`;
  return formatTable(
    ["CREATED", "CREATED BY", "SIZE", "COMMENT"],
    rows.map(({ created, created_by = "", size, comment = "" }) => [
      formatCreated(created),
      shorten(created_by.replace(/\s+/g, " ")),
      formatBytes(size),
      comment,
    ]),
  );
}

function shorten(text: string): string {
  return text.length <= MAX_COMMAND ? text : `${text.slice(0, MAX_COMMAND - 1)}…`;
}
