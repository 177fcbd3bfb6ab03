import type { Readable } from "node:stream";
import { TbuildError } from "../../../cache/errors.js";
import { pullUpload } from "../../api/session.js";
import { pieces } from "../../session/calls.js";
import type { Offers } from "./serveSession.js";

/** Gives `stdin` to the builder, once, as `http://buildkit-session/<id>`. */
export function uploadOffers(id: string, stdin: Readable): Offers {
  let given = false;
  return {
    async [pullUpload.path](call) {
      const [path = ""] = call.header("urlpath");
      if (path !== `/${id}` || given) throw new TbuildError("not_found", `no http response for path: ${path}`);
      given = true;
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        for (const data of pieces(chunk)) await call.send([pullUpload.response.encode({ data })]);
      }
    },
  };
}
