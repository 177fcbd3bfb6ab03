import { createInterface } from "node:readline/promises";
import { cancelled, TbuildError } from "../cache/errors.js";
import type { Terminal } from "./terminal.js";

/** What a person answers on the terminal. @throws {TbuildError} cancelled on Ctrl-C or the end of input */
export async function askLine(question: string, { stderr }: Pick<Terminal, "stderr">): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: stderr, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.on("SIGINT", () => reject(cancelledPrompt())).on("close", () => reject(cancelledPrompt()));
      void lines.question(question).then(resolve, reject);
    });
  } finally {
    lines.close();
  }
}

/** As {@link askLine}, and what is typed is not shown. */
export async function askHidden(question: string, { stderr }: Pick<Terminal, "stderr">): Promise<string> {
  const { stdin } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      stdin.setEncoding("utf8").on("data", (text: string) => {
        for (const letter of text) {
          if (letter === "\r" || letter === "\n") return resolve(typed);
          if (letter === "\u0003" || letter === "\u0004") return reject(cancelledPrompt());
          typed = letter === "\u007f" || letter === "\b" ? typed.slice(0, -1) : typed + letter;
        }
      });
      stdin.on("end", () => reject(cancelledPrompt())).resume();
    });
  } finally {
    stdin.setRawMode(false);
    stdin.removeAllListeners("data").pause();
    stderr.write("\n");
  }
}

function cancelledPrompt(): TbuildError {
  return new TbuildError("cancelled", "Cancelled at a question", { cause: cancelled() });
}
