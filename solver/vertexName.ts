import type { FileOpAction, Op, OpMetadata } from "./llb/op.js";

/** What people see of a step: the client's own text, else one made from the op. */
export function displayName({ body }: Op, metadata: OpMetadata): string {
  const given = metadata.description["llb.customname"];
  if (given !== undefined && given !== "") return given;
  switch (body.kind) {
    case "source":
      return body.identifier;
    case "exec":
      return body.meta.args.join(" ");
    case "file":
      return body.actions.map(actionName).join(", ");
    case "passthrough":
      return `passthrough ${body.id}`;
    case "merge":
    case "diff":
    case "build":
      return body.kind;
  }
}

/** One file action in words: "copy /a /b". */
export function actionName({ action }: FileOpAction): string {
  switch (action.kind) {
    case "copy":
      return `copy ${action.src} ${action.dest}`;
    case "symlink":
      return `symlink ${action.oldpath} ${action.newpath}`;
    default:
      return `${action.kind} ${action.path}`;
  }
}
