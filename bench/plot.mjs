// Bars, as an SVG that can be read on light and on dark; lines.mjs draws lines likewise.
import { figure } from "./statistics.mjs";

export const WIDTH = 760;
export const MARGIN = 24;
const LABELS = 210;
const VALUES = 80;
const BAR = 18;
const LINE = 26;
const STYLE = `
  :root { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --ours: #0b6bcb; --theirs: #8c959f; --rule: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --ours: #58a6ff; --theirs: #6e7681; --rule: #3d444d; }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
  .title { font-weight: 600; font-size: 14px; }
  .faint { fill: var(--faint); font-size: 12px; }
  .paper { fill: var(--paper); }
  .ours { fill: var(--ours); }
  .theirs { fill: var(--theirs); }
  .line { fill: none; stroke: var(--ours); stroke-width: 1.5; stroke-linejoin: round; }
  .axis { stroke: var(--rule); }`;

/** `groups` are [{ title, unit, bars: [[label, value]] }]; each has a scale of its own, from zero. */
export function plot(groups, caption) {
  let y = MARGIN;
  const parts = [];
  for (const { title, unit, bars } of groups) {
    const known = bars.filter(([, value]) => Number.isFinite(value));
    const longest = Math.max(...known.map(([, value]) => value));
    const room = WIDTH - 2 * MARGIN - LABELS - VALUES;
    y += 16;
    parts.push(`<text class="title" x="${MARGIN}" y="${y}">${escaped(title)}</text>`);
    y += 12;
    const top = y;
    for (const [label, value] of known) {
      const left = MARGIN + LABELS;
      const width = Math.max(1, (room * value) / longest).toFixed(1);
      const middle = y + LINE / 2 + 4.5;
      const whose = label.startsWith("Roomful") ? "ours" : "theirs";
      parts.push(
        `<text x="${left - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
        `<rect class="${whose}" x="${left}" y="${y + (LINE - BAR) / 2}" width="${width}" height="${BAR}"/>`,
        `<text x="${left + Number(width) + 8}" y="${middle}">${escaped(figure(value) + unit)}</text>`,
      );
      y += LINE;
    }
    parts.push(`<path class="axis" d="M${MARGIN + LABELS} ${top}V${y}"/>`);
    y += MARGIN;
  }
  parts.push(`<text class="faint" x="${MARGIN}" y="${y}">${escaped(caption)}</text>`);
  const height = y + MARGIN;
  const described = groups
    .map(
      ({ title, unit, bars }) =>
        `${title}: ${bars.map(([label, value]) => `${label} ${value === undefined ? "unknown" : figure(value) + unit}`).join(", ")}.`,
    )
    .join(" ");
  return picture({ title: "Roomful and its peers under load", described, height, parts });
}

/** The whole SVG, `height` pixels high. `described` is what it shows, in words. */
export function picture({ title, described, height, parts }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(described)}</desc>
<style>${STYLE}
</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
${parts.join("\n")}
</svg>
`;
}

export const escaped = (text) => String(text).replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]);
