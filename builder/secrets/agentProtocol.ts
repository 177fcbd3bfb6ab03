import type { Duplex } from "node:stream";
import type { SshKey } from "./privateKey.js";
import { wireReader, wireString } from "./wireBytes.js";

/** Message numbers. Source: draft-ietf-sshm-ssh-agent, section 6.1 */
const FAILURE = 5;
const LIST = 11;
const LISTED = 12;
const SIGN = 13;
const SIGNED = 14;

/** No honest message is longer. */
const MAX_MESSAGE = 256 * 1024;

/** An agent that lists these keys and signs with them, and refuses everything else: a step cannot add or remove keys. */
export function agentOfKeys(keys: readonly SshKey[]): (connection: Duplex) => void {
  return (connection) => {
    let waiting: Buffer = Buffer.alloc(0);
    connection.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 4) {
        const length = waiting.readUInt32BE();
        if (length > MAX_MESSAGE || length === 0) return void connection.destroy();
        if (waiting.length < 4 + length) return;
        connection.write(wireString(answer(keys, waiting.subarray(4, 4 + length))));
        waiting = waiting.subarray(4 + length);
      }
    });
    connection.on("end", () => connection.end());
  };
}

/** The answer to one message, without its length. */
export function answer(keys: readonly SshKey[], message: Buffer): Buffer {
  try {
    if (message[0] === LIST) return listed(keys);
    if (message[0] === SIGN) return signed(keys, message.subarray(1));
  } catch {
    // What cannot be read is refused like everything else.
  }
  return Buffer.from([FAILURE]);
}

function listed(keys: readonly SshKey[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(keys.length);
  return Buffer.concat([Buffer.from([LISTED]), count, ...keys.flatMap(({ blob, comment }) => [wireString(blob), wireString(comment)])]);
}

function signed(keys: readonly SshKey[], request: Buffer): Buffer {
  const fields = wireReader(request);
  const [blob, data, flags] = [fields.string(), fields.string(), fields.uint32()];
  const key = keys.find((candidate) => candidate.blob.equals(blob));
  return key === undefined ? Buffer.from([FAILURE]) : Buffer.concat([Buffer.from([SIGNED]), wireString(key.sign(data, flags))]);
}
