import { randomUUID } from "node:crypto";
import type { ContentStore } from "../../cache/content/store.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { parseDigest } from "../../cache/oci/digest.js";
import { type Status, status as statusMessage } from "../api/common.js";
import { grpcCode } from "../api/errors.js";

/** How a build ended: with what its client was answered. */
export type BuildEnd =
  | { readonly kind: "done"; readonly exporterResponse: Readonly<Record<string, string>>; readonly said?: readonly SaidOfResult[] }
  | { readonly kind: "failed"; readonly status: Status };

/** An in-toto predicate about one platform's result. */
export interface SaidOfResult {
  /** Key of the platform; "" is the only one. */
  readonly platform: string;
  readonly predicateType: string;
  /** The predicate's JSON. */
  readonly content: Uint8Array;
}

/** Media type of an error, misspelt as in BuildKit, solver/llbsolver/history/buildhistory.go. */
const ERROR_TYPE = "application/vnd.googeapis.google.rpc.status+proto";

/** Of what is said of results. Source: BuildKit, solver/llbsolver/history.go. */
const IN_TOTO_TYPE = "application/vnd.in-toto+json";

/** Annotation of a blob that is a predicate: which. */
export const PREDICATE_TYPE = "in-toto.io/predicate-type";

/** What a record says of how the build ended. The blobs that it names are in the content store. */
export async function endFields(content: ContentStore, end: BuildEnd): Promise<Pick<BuildRecord, "error" | "errorDetails" | "exporterResponse" | "results" | "attestations">> {
  if (end.kind === "failed") {
    const { code, message } = end.status;
    const error = { code, message: code === grpcCode.cancelled ? cancelledMessage(message) : message };
    return { error, errorDetails: await saveError(content, end.status), exporterResponse: {}, results: [] };
  }
  const { exporterResponse, said = [] } = end;
  const attestations = await Promise.all(said.map(async (one) => await saveSaid(content, one)));
  return {
    error: null,
    errorDetails: null,
    exporterResponse,
    results: await keptResults(content, exporterResponse),
    ...(said.length === 0 ? {} : { attestations: attestations.filter((one) => one !== null) }),
  };
}

/** Clients tell cancelled builds by these words. */
function cancelledMessage(message: string): string {
  return message.includes("context canceled") ? message : `${message}: context canceled`;
}

/** The record has code and message: details may be lost when the disk is full. */
async function saveError(content: ContentStore, status: Status): Promise<Descriptor | null> {
  return await save(content, statusMessage.encode(status), ERROR_TYPE);
}

async function saveSaid(content: ContentStore, { platform, predicateType, content: bytes }: SaidOfResult): Promise<NonNullable<BuildRecord["attestations"]>[number] | null> {
  const blob = await save(content, bytes, IN_TOTO_TYPE);
  return blob === null ? null : { platform, blob: { ...blob, annotations: { [PREDICATE_TYPE]: predicateType } } };
}

async function save(content: ContentStore, bytes: Uint8Array, mediaType: string): Promise<Descriptor | null> {
  try {
    await using ingest = await content.ingest(`history ${randomUUID()}`);
    await ingest.write(bytes);
    return { ...(await ingest.commit()), mediaType };
  } catch {
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
