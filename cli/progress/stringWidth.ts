// Stands in for the package string-width in the bundle: yargs measures its help with it, and the package's tables cost
// 20 ms at every start.
export { displayWidth as default } from "./width.js";
