/**
 * The fields of one line of CSV, as flags with several parts have them: a field in double quotes may hold commas, and `""` in
 * it is a quote. Null when a quote stands elsewhere, or is not closed. Source: RFC 4180 as Go reads it.
 */
export function splitCsv(text: string): readonly string[] | null {
  const field = /"((?:[^"]|"")*)"(?=,|$)|([^",]*)(?=,|$)/y;
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at = field.lastIndex + 1) {
    field.lastIndex = at;
    const [, quoted, plain] = field.exec(text) ?? [];
    if (quoted === undefined && plain === undefined) return null;
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
  }
  return fields;
}

/** One line of CSV that {@link splitCsv} takes apart again. */
export function joinCsv(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
