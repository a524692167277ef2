/**
 * Where somebody goes after signing in: only to a page of this app. A list of what is allowed, for what leads elsewhere
 * has many forms: `//elsewhere`, `/\elsewhere`, and a tab between the slashes, which browsers read past.
 */
export const wayBack = (next: string): string => (/^(?:\/[\w-]+)+(?:\?[\w=&-]*)?$/.test(next) ? next : "/");
