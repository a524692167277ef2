// Ways to fill the disk of a server while it runs, and to make room again. `under` is for `startServer`.
import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";

const shell = (script) => ["/bin/sh", "-c", `${script} && exec "$0" "$@"`];

/**
 * No file may be written to at all, which the kernel does for anybody on any Linux (RLIMIT_FSIZE). To the server that is
 * EFBIG, an I/O error rather than a full disk.
 */
export const limited = {
  // Otherwise the first write would be the end of the process.
  under: shell(`trap "" XFSZ`),
  fill: (server) => setLimit(server, "0"),
  free: (server) => setLimit(server, "unlimited"),
};

function setLimit({ pid }, bytes) {
  // The soft limit alone: what is lowered can be raised again without being root.
  execFileSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`]);
}

/**
 * A disk of 4 MiB in memory, which is really full (ENOSPC). It takes a user and a mount namespace, which some systems give
 * to root alone.
 */
export const tiny = {
  under: ["unshare", "--map-root-user", "--mount", ...shell("mount -t tmpfs -o size=4m tmpfs storage")],
  fill(server) {
    const file = openSync(ballast(server), "w");
    try {
      // Ever smaller pieces, to the last byte.
      for (let size = 65_536; size >= 1; size /= 16) {
        try {
          for (;;) writeSync(file, Buffer.alloc(size));
        } catch (error) {
          if (error.code !== "ENOSPC") throw error;
        }
      }
    } finally {
      closeSync(file);
    }
  },
  free: (server) => rmSync(ballast(server), { force: true }),
};

const ballast = ({ pid, storage }) => path.join(`/proc/${pid}/root`, storage, "ballast");
