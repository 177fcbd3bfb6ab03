import type { Builder } from "../../builder/builder.js";
import { imageId } from "../../cache/images.js";
import { hexOf } from "../../cache/oci/digest.js";
import { formatCreated } from "../age.js";
import type { ImageHistoryArgs } from "../args/imageListing.js";
import { readImageConfig } from "../imageInfo.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatTable } from "../table.js";
import { renderRows } from "../templateRows.js";
import { createdAt } from "./imageList.js";

const MAX_COMMAND = 60;

/** `tbuild image history`: newest entry first. @throws {TbuildError} not_found, usage for a bad template */
export async function imageHistory({ store }: Builder, { name, format, truncate }: ImageHistoryArgs): Promise<string> {
  const record = store.images.resolve(name);
  const id = imageId(record);
  const { history = [] } = await readImageConfig(store, id);
  const sizes = (record.manifests[0]?.layers ?? []).map(({ snapshot }) => store.meta.layers.get(snapshot)?.size ?? 0);
  // Layers belong in order to the entries that are not empty.
  const entries = history.map((entry) => ({ ...entry, size: entry.empty_layer === true ? 0 : (sizes.shift() ?? 0) })).reverse();
  if (format === "json") return `${JSON.stringify(entries, null, 2)}\n`;
  const rows = entries.map(({ created, created_by = "", size, comment = "" }, index) => ({
    Comment: comment,
    CreatedAt: createdAt(created),
    CreatedBy: truncate ? shorten(created_by.replace(/\s+/g, " ")) : created_by,
    CreatedSince: formatCreated(created),
    // Only the whole has an ID: there are no images of single steps.
    ID: index > 0 ? "<missing>" : truncate ? hexOf(id).slice(0, 12) : id,
    Size: formatBytes(size),
  }));
  if (format !== "table") return renderRows(format.template, rows, { ID: "IMAGE", CreatedSince: "CREATED" });
  return formatTable(
    ["CREATED", "CREATED BY", "SIZE", "COMMENT"],
    rows.map(({ CreatedSince, CreatedBy, Size, Comment }) => [CreatedSince, CreatedBy.replaceAll("\n", "\\n"), Size, Comment]),
  );
}

function shorten(text: string): string {
  return text.length <= MAX_COMMAND ? text : `${text.slice(0, MAX_COMMAND - 1)}…`;
}
