import { parseBuilderAddress } from "./address.js";
import type { BuilderPlace } from "./connect.js";
import { readTlsFiles, type TlsFiles } from "./tlsFiles.js";

/** Where a builder is, with its certificates read. @throws {TbuildError} usage, not_found */
export function builderPlace(address: string, tls: TlsFiles): BuilderPlace {
  return { address: parseBuilderAddress(address), shown: address, tls: readTlsFiles(tls) };
}
