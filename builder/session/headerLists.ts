/**
 * Lists of text as headers of a call. One that has more than printable ASCII is encoded, which another header says; an
 * empty one is left out. Source: BuildKit, session/filesync/filesync.go "encodeOpts".
 */
export function listMetadata(lists: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, readonly string[]>> {
  const metadata: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(lists)) {
    if (values.length === 0) continue;
    const plain = values.every((value) => PLAIN.test(value));
    metadata[name] = plain ? values : values.map((value) => encodeURIComponent(value));
    if (!plain) metadata[`${name}-encoded`] = ["1"];
  }
  return metadata;
}

/** White space at the ends is lost on the way. */
const PLAIN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
