import type { Decoded } from "./schema.js";
import { serverStream, service, unary } from "./service.js";
import { getBlobInfo, listBlobs, readBlob } from "./sessionContent.js";

/** `ReadContentRequest`; a size of 0 is all that follows the offset. */
export type ReadContentRequest = Decoded<typeof readBlob.request>;

/** What can be read of `containerd.services.content.v1.Content`. Source: containerd api/services/content/v1. */
export const contentService = service("containerd.services.content.v1.Content", {
  Info: unary(getBlobInfo.request, getBlobInfo.response),
  List: serverStream(listBlobs.request, listBlobs.response),
  Read: serverStream(readBlob.request, readBlob.response),
});
