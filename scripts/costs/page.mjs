// A page whose tables stand between marks: `<!-- name -->` and `<!-- /name -->`, a line each.

/** The page with these tables in it. Every table has its marks, and every mark its table. */
export function fill(page, tables) {
  let filled = page;
  for (const [name, text] of Object.entries(tables)) {
    const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [from, to] = [filled.indexOf(open), filled.indexOf(close)];
    if (from < 0 || to < from) throw new Error(`the page lacks ${open.trim()} or ${close}`);
    filled = filled.slice(0, from + open.length) + text + filled.slice(to);
  }
  for (const [, name] of page.matchAll(/^<!-- \/(\S+) -->$/gm)) {
    if (!(name in tables)) throw new Error(`there is no table ${name}`);
  }
  return filled;
}
