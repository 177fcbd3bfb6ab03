import { randomUUID } from "node:crypto";
import type { ContentStore } from "../../cache/content/store.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { parseDigest } from "../../cache/oci/digest.js";
import { type Status, status as statusMessage } from "../api/common.js";
import { grpcCode } from "../api/errors.js";

/** How a build ended: with what its client was answered. */
export type BuildEnd =
  | { readonly kind: "done"; readonly exporterResponse: Readonly<Record<string, string>> }
  | { readonly kind: "failed"; readonly status: Status };

/** Media type of an error, misspelt as in BuildKit, solver/llbsolver/history/buildhistory.go. */
const ERROR_TYPE = "application/vnd.googeapis.google.rpc.status+proto";

/** What a record says of how the build ended. The blobs that it names are in the content store. */
export async function endFields(content: ContentStore, end: BuildEnd): Promise<Pick<BuildRecord, "error" | "errorDetails" | "exporterResponse" | "results">> {
  if (end.kind === "failed") {
    const { code, message } = end.status;
    const error = { code, message: code === grpcCode.cancelled ? cancelledMessage(message) : message };
    return { error, errorDetails: await saveError(content, end.status), exporterResponse: {}, results: [] };
  }
  const { exporterResponse } = end;
  return { error: null, errorDetails: null, exporterResponse, results: await keptResults(content, exporterResponse) };
}

/** Clients tell cancelled builds by these words. */
function cancelledMessage(message: string): string {
  return message.includes("context canceled") ? message : `${message}: context canceled`;
}

async function saveError(content: ContentStore, status: Status): Promise<Descriptor | null> {
  try {
    await using ingest = await content.ingest(`history ${randomUUID()}`);
    await ingest.write(statusMessage.encode(status));
    return { ...(await ingest.commit()), mediaType: ERROR_TYPE };
  } catch {
    // The record has code and message: details may be lost when the disk is full.
    return null;
  }
}

/** The exported image as far as the store has it: clients read what a record names, and fail when it is not there. */
async function keptResults(content: ContentStore, exporterResponse: Readonly<Record<string, string>>): Promise<readonly Descriptor[]> {
  const text = exporterResponse["containerimage.descriptor"];
  if (text === undefined) return [];
  const descriptor = JSON.parse(Buffer.from(text, "base64").toString()) as Descriptor;
  const there = await content.info(parseDigest(descriptor.digest)).then(() => true, () => false);
  return there ? [descriptor] : [];
}
