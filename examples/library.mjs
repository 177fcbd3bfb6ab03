// Builds a directory with tbuild as a library: node examples/library.mjs DIRECTORY NAME [STORE]
import { createBuilder, isTbuildError } from "tbuild";

const [context = ".", name = "example:latest", root] = process.argv.slice(2);
const builder = await createBuilder({ root });
try {
  const build = builder.build({ context, tags: [name] });
  const names = new Map();
  for await (const event of build.progress) {
    if (event.type === "vertex") names.set(event.vertex, event.name);
    if (event.type === "completed" && event.error === null) console.log(event.cached ? "cached" : "done", names.get(event.vertex));
  }
  const { imageId } = await build.result;
  console.log(`${name} is ${imageId}`);
} catch (error) {
  if (!isTbuildError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await builder[Symbol.asyncDispose]();
}
