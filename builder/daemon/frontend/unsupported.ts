import { TbuildError } from "../../../cache/errors.js";
import { detail, grpcCode } from "../../api/errors.js";
import { StatusError } from "../handlers.js";

/** Something that a client can do without, which it knows by the kind of the detail: "errdefs.FrontendCap". */
export function unsupported(message: string, kind: string, name: string): StatusError {
  const status = { code: grpcCode.unimplemented, message, details: [detail(kind, { name })] };
  return new StatusError(status, new TbuildError("unsupported", message));
}
