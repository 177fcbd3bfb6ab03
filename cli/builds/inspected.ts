import { type Attachment, attachmentsOf, type Material, materialsOf } from "../../builder/history/attachments.js";
import { type BuildDetails, buildDetails, type NamedValue } from "../../builder/history/buildDetails.js";
import { buildFailure } from "../../builder/history/buildFailure.js";
import type { BuildHistory, BuildHistoryRecord } from "../../builder/history/buildHistory.js";
import { statusOf } from "../../builder/history/recordFilter.js";
import type { Opts } from "../../cache/content/store.js";
import { printable } from "../progress/format.js";
import { reportError } from "../report.js";
import { formatTable } from "../table.js";
import { durationOf, statusWords } from "./listed.js";

interface InspectedBuild extends BuildDetails {
  readonly Materials?: readonly Material[];
  readonly Attachments?: readonly Attachment[];
}

/** All that is known of a build. @throws {TbuildError} unavailable */
export async function inspected(history: BuildHistory, record: BuildHistoryRecord, format: "table" | "json", opts: Opts): Promise<string> {
  const materials = await materialsOf(history, record, opts);
  const attachments = attachmentsOf(record);
  const details: InspectedBuild = {
    ...buildDetails(record, Date.now()),
    ...(materials.length === 0 ? {} : { Materials: materials }),
    ...(attachments.length === 0 ? {} : { Attachments: attachments }),
  };
  if (format === "json") return `${JSON.stringify(details, null, 2)}\n`;
  const failure = await buildFailure(history, record, opts);
  const why = failure === null ? [] : [reportError(failure.error, { root: ".", output: "show", colours: false, columns: 120, texts: failure.texts })];
  const parts = [headText(details), runText(details, record), ...tables(details), ...why, `Print the log: tbuild history logs ${record.ref}\n`];
  return parts.filter((part) => part !== "").join("\n");
}

function headText(details: BuildDetails): string {
  return lines([
    ["Name", details.Name],
    ["Ref", details.Ref],
    ["Context", details.Context],
    ["Dockerfile", details.Dockerfile],
    ["VCS Repository", details.VCSRepository],
    ["VCS Revision", details.VCSRevision],
    ["Target", details.Target],
    ["Platforms", details.Platform?.join(", ")],
    ["Builder", details.Builder],
  ]);
}

function runText(details: BuildDetails, record: BuildHistoryRecord): string {
  const { NumCompletedSteps: completed, NumTotalSteps: total, NumCachedSteps: cached } = details;
  const share = total === 0 ? 0 : Math.round((cached / total) * 100);
  return lines([
    ["Started", details.StartedAt],
    ["Duration", durationOf(record)],
    ["Status", statusWords[statusOf(record)]],
    ["Error", details.Error?.Message.split("\n")[0]],
    ["Build Steps", record.completedAt === null && total === 0 ? undefined : `${completed}/${total} (${share}% cached)`],
    ["Warnings", details.NumWarnings === 0 ? undefined : String(details.NumWarnings)],
    ...details.Outputs.map((output) => ["Output", output] as const),
    ...Object.entries(details.Config),
  ]);
}

function lines(values: readonly (readonly [string, string | undefined])[]): string {
  return values.map(([name, value]) => (value === undefined ? "" : `${`${name}:`.padEnd(15)} ${printable(value)}\n`)).join("");
}

function tables({ NamedContexts, BuildArgs, Labels, Results, Materials = [], Attachments = [] }: InspectedBuild): readonly string[] {
  const results = (Results ?? []).map(({ Name, Value }) => ["Result", `${Name}=${Value}`] as const);
  const materials = Materials.map(({ URI, Digests }) => [printable(URI), printable(Digests.join(", "))]);
  const attachments = Attachments.map(({ Digest, Platform = "", Type }) => [printable(Digest), printable(Platform), printable(Type)]);
  return [
    table("NAMED CONTEXT", NamedContexts),
    table("BUILD ARG", BuildArgs),
    table("LABEL", Labels),
    lines(results),
    materials.length === 0 ? "" : formatTable(["MATERIAL", "DIGEST"], materials),
    attachments.length === 0 ? "" : formatTable(["ATTACHMENT", "PLATFORM", "TYPE"], attachments),
  ];
}

function table(heading: string, values: readonly NamedValue[] = []): string {
  return values.length === 0 ? "" : formatTable([heading, "VALUE"], values.map(({ Name, Value }) => [printable(Name), printable(Value)]));
}
