// The rooms' databases as they lie on disk, looked at while no server has them open.
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Runs `work` on the only room's database that a killed server has left. */
export function withDatabase(server, work) {
  const files = readdirSync(server.storage).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  if (files.length !== 1) throw new Error(`there is not one room but ${files.length}`);
  const database = new DatabaseSync(path.join(server.storage, files[0]));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** The names of the tables, the runtime's own among them. */
export const tables = (database) =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => name);
