// Who somebody is, read from their user id. There is no database here, so the id carries the name: `Ana~4f2k9c`. As
// the token vouches for the id, nobody can write under somebody else's. A real app looks names up.

export const LONGEST_NAME = 40;

export const personId = (name: string, random: string): string => `${name}~${random}`;

/** Whether it is somebody's id, and not the one under which the app's own server speaks, say. */
export const isPersonId = (id: unknown): id is string => typeof id === "string" && id.includes("~");

export const nameOf = (id: string): string => id.slice(0, id.lastIndexOf("~")) || id;

/** One or two letters for an avatar. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}

/** A hue for everything that is somebody's, the same for all who see it. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  // The golden angle: close numbers give colours that are far apart.
  return Math.round((hash * 137.508) % 360);
}
