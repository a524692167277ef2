// Imported before anything else, lets everything find React 18 instead of 19.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const folder = path.join(import.meta.dirname, "../../../tests/react-18/");

registerHooks({
  resolve(specifier, context, next) {
    const isReact = /^(react|react-dom|scheduler)(\/|$)/.test(specifier);
    return next(specifier, isReact ? { ...context, parentURL: pathToFileURL(folder).href } : context);
  },
});
