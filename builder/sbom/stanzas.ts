/**
 * Stanzas of `Field: value` lines, as Debian and Python have them. Lines that begin with a blank go on with the field before; the
 * first of several fields of one name counts. Stops at an empty line when `first` is true. Source: Debian policy, chapter 5.
 */
export function stanzas(text: string, first = false): readonly ReadonlyMap<string, string>[] {
  const parts = text.replaceAll("\r\n", "\n").split(/\n[ \t]*\n+/);
  return (first ? parts.slice(0, 1) : parts).map(fieldsOf).filter((fields) => fields.size > 0);
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.replace(/\n[ \t]+/g, " ").split("\n")) {
    const [, name, value = ""] = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && !fields.has(name)) fields.set(name, value.trim());
  }
  return fields;
}
