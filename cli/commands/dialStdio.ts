import { pipeline } from "node:stream/promises";
import { parseBuilderAddress } from "../../builder/remote/address.js";
import { connect } from "../../builder/remote/connect.js";
import type { DialStdioArgs } from "../args/dialStdio.js";

/** `tbuild dial-stdio`: standard input and output as a connection to a builder, for who reaches this machine by ssh. */
export async function dialStdioCommand({ addr, tls }: DialStdioArgs): Promise<void> {
  const { readTlsFiles } = await import("../../builder/remote/tlsFiles.js");
  const stream = await connect({ address: parseBuilderAddress(addr), shown: addr, tls: readTlsFiles(tls) }, {});
  // Either end may close its half first.
  await Promise.all([pipeline(process.stdin, stream), pipeline(stream, process.stdout)]).catch(() => {});
}
