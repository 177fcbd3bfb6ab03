/** Bytes with their length in front. Source: RFC 4251 section 5, "string". */
export function wireString(bytes: Uint8Array | string): Buffer {
  const data = Buffer.from(bytes as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** A positive number as the shortest bytes without a sign bit. Source: RFC 4251 section 5, "mpint". */
export function wireNumber(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = Buffer.from(bytes.subarray(start));
  return wireString((shortest[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), shortest]) : shortest);
}

/** Reads one field after the other. */
export interface WireReader {
  /** @throws {RangeError} when the bytes end too early */
  uint32(): number;
  string(): Buffer;
}

/** See {@link WireReader}. */
export function wireReader(bytes: Buffer): WireReader {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("The bytes end too early");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const uint32 = (): number => take(4).readUInt32BE();
  return { uint32, string: () => take(uint32()) };
}
