import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import { compileTemplate } from "./template.js";

const value = { Name: "app", Tags: ["a", "b"], Config: { Labels: { "x.y": "1" }, Empty: null }, Size: 5 };
const render = (text: string): string => compileTemplate(text).render(value);

test("compileTemplate() renders fields, text and escapes", () => {
  assert.equal(render("{{.Name}}:{{ .Size }}\\t{{.Tags}} \\n"), "app:5\t[a b] \n");
  assert.equal(render("{{.Config.Labels}} {{.Config.Empty}} {{.Config.Other.Deep}}"), "map[x.y:1] <no value> <no value>");
  assert.equal(render("a {{- .Name -}} b {{.Name}} {{.Size}}"), "aappb app 5");
  assert.equal(render("no action }}"), "no action }}");
});

test("compileTemplate() calls functions, alone and in pipelines", () => {
  assert.equal(render("{{json .Config}}"), '{"Labels":{"x.y":"1"},"Empty":null}');
  assert.equal(render('{{join .Tags ", "}} {{index .Tags 1}} {{len .Tags}}'), "a, b b 2");
  assert.equal(render('{{index .Config.Labels "x.y" | json}} {{.Name | upper | lower}}'), '"1" app');
  assert.equal(render("{{println .Name}}"), "app\n");
  assert.equal(render('{{index .Config.Labels `x.y`}}{{"}}"}}'), "1}}");
});

test("compileTemplate() refuses what it does not know", () => {
  for (const text of ["{{", "{{.Name", "{{}}", "{{range .Tags}}{{end}}", "{{.Nam}}", "{{json $x}}", "{{join .Size}}", "{{index .Tags 7}}", "{{.Name | }}"]) {
    assert.throws(() => render(text), (error) => hasCode(error, "usage"), text);
  }
  assert.throws(() => render("{{.Nam}}"), { message: 'Cannot use --format: there is no field ".Nam"', hint: 'Did you mean ".Name"?' });
});
