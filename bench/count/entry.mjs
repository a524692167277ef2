// Stands before a Worker whose object is to be watched (`entry.mjs` beside it): counts the rows that it writes and the
// frames that it takes, and answers both at /bench/rows. A cursor knows its rows only once it is used up, and only the
// object may ask it: so each is asked when the next one is made. For counting alone: it slows the object down.
import * as watched from "./entry.mjs";

const counted = { rows: 0, alarms: 0, frames: 0, statements: {} };
let cursors = [];
let patched = false;

export class Room extends watched.Room {
  constructor(context, env) {
    watch(context.storage);
    super(context, env);
  }

  webSocketMessage(socket, message) {
    total();
    counted.frames++;
    return super.webSocketMessage(socket, message);
  }
}

function watch(storage) {
  if (patched) return;
  patched = true;
  const sql = Object.getPrototypeOf(storage.sql);
  const { exec } = sql;
  sql.exec = function (query, ...values) {
    total();
    const cursor = exec.call(this, query, ...values);
    cursors.push([query, cursor]);
    return cursor;
  };
  // One row each, as it is billed.
  const kept = Object.getPrototypeOf(storage);
  for (const name of ["setAlarm", "put", "delete"]) {
    const before = kept[name];
    kept[name] = function (...values) {
      if (name === "setAlarm") counted.alarms++;
      counted.rows++;
      return before.apply(this, values);
    };
  }
}

function total() {
  for (const [query, { rowsWritten }] of cursors) {
    if (!rowsWritten) continue;
    counted.rows += rowsWritten;
    const name = query.trim().split(/\s+/).slice(0, 5).join(" ");
    counted.statements[name] = (counted.statements[name] ?? 0) + rowsWritten;
  }
  cursors = [];
}

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/bench/rows") return Response.json(counted);
    return watched.default.fetch
      ? watched.default.fetch(request, env, context)
      : new watched.default(context, env).fetch(request);
  },
};
