import { formatTable } from "./table.js";
import { compileTemplate } from "./template.js";

const TABLE = /^table\s+/;

/**
 * A line for each row by a `--format` template; `table TEMPLATE` aligns what "\t" separates below headings, which are the
 * fields' names unless `headings` has another. Source: docker/cli formatter. @throws {TbuildError} usage
 */
export function renderRows(
  template: string,
  rows: readonly Readonly<Record<string, unknown>>[],
  headings: Readonly<Record<string, string>>,
): string {
  const { render } = compileTemplate(template.replace(TABLE, ""));
  if (!TABLE.test(template)) return rows.map((row) => `${render(row)}\n`).join("");
  const heading = render(new Proxy({}, headingsOf(headings)));
  return formatTable(heading.split("\t"), rows.map((row) => render(row).split("\t")));
}

/** Has every field, so that a list without rows has its headings as well. */
function headingsOf(headings: Readonly<Record<string, string>>): ProxyHandler<Record<string, unknown>> {
  return {
    get: (_target, field) => headings[String(field)] ?? spaced(String(field)),
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: null }),
  };
}

/** "CreatedBy" becomes "CREATED BY". */
function spaced(field: string): string {
  return field.replace(/([a-z])([A-Z])/g, "$1 $2").toUpperCase();
}
