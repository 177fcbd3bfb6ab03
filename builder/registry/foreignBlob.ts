import { TbuildError, cancelled, hasCode } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { redactUrl, type HttpTransport } from "./http.js";

/** Where a layer may be had outside of its registry, best first: HTTP addresses of its descriptor, which may hold others. */
export function foreignUrls({ urls = [] }: Descriptor): readonly URL[] {
  return urls.filter((url) => URL.canParse(url)).map((url) => new URL(url)).filter(({ protocol }) => /^https?:$/.test(protocol));
}

/**
 * Bytes of a layer from an address outside of the registry, which gets no credentials; at most `descriptor.size` of them. The
 * digest is for the reader to check. @throws {TbuildError} unavailable, corrupt, cancelled
 */
export async function* foreignBytes(http: HttpTransport, url: URL, { digest, size }: Descriptor, opts: Opts): AsyncGenerator<Uint8Array> {
  const failed = (why: string, cause?: unknown) =>
    new TbuildError("unavailable", `Cannot get layer ${digest} from ${redactUrl(url)}: ${why}`, { cause });
  try {
    const response = await http.request({ method: "GET", url, headers: {} }, opts);
    if (response.status !== 200) {
      response.body.destroy();
      throw failed(`the server answered ${response.status}`);
    }
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > size) throw failed(`more than the ${size} bytes that the manifest says`);
      yield chunk;
    }
  } catch (error) {
    if (opts.signal?.aborted) throw cancelled(opts.signal);
    throw hasCode(error, "unavailable") ? error : failed(error instanceof Error ? error.message : String(error), error);
  }
}
