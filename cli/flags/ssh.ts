import type { SshSpec } from "../../builder/request.js";
import { parseCsv } from "../csv.js";
import { usage } from "../usage.js";

/** `--ssh default`, `--ssh ID=SOCKET` or `--ssh ID=KEY,KEY`, with `raw=true` for a socket of any kind. @throws {TbuildError} usage */
export function parseSsh(text: string): SshSpec {
  const [first = "", ...rest] = parseCsv(text);
  const at = first.indexOf("=");
  const id = at < 0 ? first : first.slice(0, at);
  if (id === "") throw usage(`Cannot read --ssh "${text}"`, "Write --ssh default, or --ssh ID=SOCKET_OR_KEY");
  const raw = rest.some((field) => /^raw=(?:1|t|true)$/i.test(field));
  const paths = [...(at < 0 ? [] : [first.slice(at + 1)]), ...rest.filter((field) => !/^raw=/i.test(field))];
  if (raw && paths.length !== 1) throw usage(`Cannot read --ssh "${text}": raw needs one socket`, "Write --ssh ID=SOCKET,raw=true");
  return { id, paths: paths.filter((path) => path !== ""), raw };
}
