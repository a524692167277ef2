// The mutants of the room: each breaks one promise, and has to be caught. A mutant is
//
//   promise   what it breaks, by the rule's id
//   file      the source
//   text      what stands there, exactly once
//   by        what is put in its place
//   survives  why it need not be caught, if nothing can catch it
import { readFileSync } from "node:fs";
import http from "./http.mjs";
import limits from "./limits.mjs";
import messages from "./messages.mjs";
import presence from "./presence.mjs";
import resuming from "./resuming.mjs";

export const mutants = [...messages, ...resuming, ...presence, ...limits, ...http];

/** The source with the mutant in it; throws if its text is not there exactly once. */
export function mutate({ promise, file, text, by }, source) {
  const found = source.split(text).length - 1;
  if (found !== 1) throw new Error(`${promise}: ${file} holds its text ${found} times`);
  return source.replace(text, () => by);
}

/** What is wrong with the list. */
export function complaints(read = (file) => readFileSync(file, "utf8")) {
  const wrong = [];
  for (const mutant of mutants) {
    try {
      const source = read(mutant.file);
      if (mutate(mutant, source) === source) wrong.push(`${mutant.promise}: changes nothing`);
    } catch (error) {
      wrong.push(error.message);
    }
  }
  const promises = mutants.map(({ promise }) => promise);
  const twice = promises.filter((promise, place) => promises.indexOf(promise) !== place);
  return [...wrong, ...twice.map((promise) => `${promise}: stands there twice`)];
}
