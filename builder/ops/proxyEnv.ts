import type { ProxyEnv } from "../../solver/llb/op.js";

/** Environment of a step that has these proxies: every variable in upper and lower case, as Docker sets them. */
export function proxyVariables(proxy: ProxyEnv | null): readonly string[] {
  if (proxy === null) return [];
  const pairs = [
    ["HTTP_PROXY", proxy.http],
    ["HTTPS_PROXY", proxy.https],
    ["FTP_PROXY", proxy.ftp],
    ["NO_PROXY", proxy.no],
    ["ALL_PROXY", proxy.all],
  ] as const;
  return pairs.flatMap(([name, value]) => (value === "" ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`]));
}
