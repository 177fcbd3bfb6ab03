import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { parsePlatform } from "../../../cache/oci/platform.js";
import { answers } from "../../../fixtures/sessionClient.js";
import { withSession } from "../../../fixtures/testSession.js";
import { checkPolicy } from "../../api/policySession.js";
import type { Decoded, Encodable } from "../../api/schema.js";
import { rulesPolicy } from "../../policy/evaluate.js";
import type { PolicySource } from "../../policy/policy.js";
import { StatusError } from "../handlers.js";
import { sessionPolicy } from "./sessionPolicy.js";

type Question = Decoded<typeof checkPolicy.request>;
type Answer = Encodable<typeof checkPolicy.response>;

const [ALLOW, DENY, CONVERT] = [0, 1, 2];
const alpine: PolicySource = { identifier: "docker-image://alpine", attrs: {}, platform: parsePlatform("linux/amd64") };
const noRules = rulesPolicy([]);

/** Asks a client that answers by turns, and returns what came of it with what the client was told. */
async function asked(turns: readonly ((question: Question) => Answer)[]): Promise<{ readonly source: PolicySource; readonly questions: readonly Question[] }> {
  const questions: Question[] = [];
  const offers = answers(checkPolicy, (question) => {
    questions.push(question);
    return turns[Math.min(questions.length, turns.length) - 1]!(question);
  });
  const source = await withSession(offers, (session) => sessionPolicy(noRules, session, async () => ({ image: { digest: "sha256:1" } }))(alpine, {}));
  return { source, questions };
}

test("sessionPolicy() asks the client, who may want to know more first", async () => {
  const { source, questions } = await asked([
    ({ source: told, platform }) => ({ request: { source: told!.source, platform } }),
    () => ({ decision: { action: ALLOW } }),
  ]);
  assert.equal(source, alpine);
  assert.deepEqual(questions.map(({ source: told }) => told?.source?.identifier), Array(2).fill("docker-image://docker.io/library/alpine:latest"));
  assert.deepEqual(questions.map(({ source: told }) => told?.image?.digest), [undefined, "sha256:1"]);
  assert.equal(questions[0]?.platform?.architecture, "amd64");
});

test("sessionPolicy() asks again about what the client converts to, but not for ever", async () => {
  const update = { kind: "source", identifier: "docker-image://docker.io/library/busybox:latest", attrs: { a: "b" } } as const;
  const { source } = await asked([() => ({ decision: { action: CONVERT, update } }), () => ({ decision: { action: ALLOW } })]);
  assert.deepEqual([source.identifier, source.attrs], [update.identifier, update.attrs]);
  await assert.rejects(asked([() => ({ decision: { action: CONVERT, update } })]), /too many policy requests/);
});

test("sessionPolicy() tells the client why a source is denied, in its own words", async () => {
  await assert.rejects(asked([() => ({ decision: { action: DENY, denyMessages: [{ message: "use busybox" }] } })]), (error) => {
    assert.ok(error instanceof StatusError);
    assert.match(error.status.message, /not allowed by policy: action DENY/);
    assert.deepEqual(JSON.parse(Buffer.from(error.status.details[0]!.value).toString()), { action: "DENY", denyMessages: [{ message: "use busybox" }] });
    return true;
  });
});

test("sessionPolicy() tells nothing of other sources, and needs a decision", async () => {
  const other = { kind: "source", identifier: "docker-image://secret", attrs: {} } as const;
  await assert.rejects(asked([() => ({ request: { source: other } })]), (error) => hasCode(error, "invalid_argument") && /was asked about/.test(String(error)));
  await assert.rejects(asked([() => ({})]), /decides nothing/);
});
