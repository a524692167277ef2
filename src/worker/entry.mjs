// The module that the runtime loads. It stands between the runtime and the
// compiled Worker, which the build puts beside it as index.js.
export * from "./index.js";
export { default } from "./index.js";
