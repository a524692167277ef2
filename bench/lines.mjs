// What changes over time, as lines in an SVG.
import { MARGIN, WIDTH, escaped, picture } from "./plot.mjs";
import { figure } from "./statistics.mjs";

const HEIGHT = 150;
const LABELS = 60;

/**
 * One chart below the other. `charts` are [{ title, unit, points: [[x, y]], marks: [[x, text]] }], each with a scale of its
 * own from zero; marks are upright lines. `axis` names what x is, in `axisUnit`.
 */
export function lines({ title, charts, axis, axisUnit, caption }) {
  const parts = [];
  const described = [];
  const left = MARGIN + LABELS;
  const right = WIDTH - MARGIN;
  let y = MARGIN;
  for (const { title, unit, points, marks = [] } of charts) {
    const most = Math.max(...points.map(([, value]) => value)) || 1;
    const end = points.at(-1)[0] || 1;
    y += 16;
    parts.push(`<text class="title" x="${MARGIN}" y="${y}">${escaped(title)}</text>`);
    const top = y + 16;
    const bottom = top + HEIGHT;
    const place = ([x, value]) => [left + ((right - left) * x) / end, bottom - (HEIGHT * value) / most];
    const path = points.map((point) => place(point).map((number) => number.toFixed(1)).join(" ")).join("L");
    for (const [x, text] of marks) {
      const [at] = place([x, 0]);
      parts.push(
        `<path class="axis" stroke-dasharray="3 3" d="M${at.toFixed(1)} ${top}V${bottom}"/>`,
        `<text class="faint" x="${(at + 4).toFixed(1)}" y="${bottom - 6}">${escaped(text)}</text>`,
      );
    }
    parts.push(
      `<path class="axis" fill="none" d="M${left} ${top}V${bottom}H${right}"/>`,
      `<text class="faint" x="${left - 6}" y="${top + 4}" text-anchor="end">${escaped(figure(most) + unit)}</text>`,
      `<text class="faint" x="${left - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
      `<text class="faint" x="${left}" y="${bottom + 16}">${escaped(axis)}</text>`,
      `<text class="faint" x="${right}" y="${bottom + 16}" text-anchor="end">${escaped(figure(end) + axisUnit)}</text>`,
      `<path class="line" d="M${path}"/>`,
    );
    const [first, last] = [points[0], points.at(-1)].map(([, value]) => figure(value) + unit);
    described.push(`${title}: from ${first} to ${last}, at most ${figure(most)}${unit}.`);
    y = bottom + 16 + MARGIN;
  }
  parts.push(`<text class="faint" x="${MARGIN}" y="${y}">${escaped(caption)}</text>`);
  return picture({ title, described: described.join(" "), height: y + MARGIN, parts });
}
