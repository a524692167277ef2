"use client";
import { useEffect, useRef } from "react";
import { SPAN } from "./activity";
import type { Activity } from "./activity";
import styles from "./dashboard.module.css";

/** Messages as bars, one a second, and people who talk as a line. It moves with time, not with messages. */
export function Chart({ activity, summary }: { activity: Activity; summary: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const voices = new Line();
    // Who wants less motion gets a picture a second.
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let top = 4;
    let frame = 0;
    let drawn = 0;
    const draw = () => {
      frame = requestAnimationFrame(draw);
      const now = Date.now();
      if (calm.matches && now - drawn < 1_000) return;
      drawn = now;
      const messages = activity.messages(now);
      voices.note(now, activity.voices(now));
      // The scale follows gently, so that a burst does not make everything jump.
      const highest = Math.max(4, ...messages, ...voices.values);
      top += (highest - top) * (calm.matches ? 1 : 0.08);
      paint(context, element, { messages, voices, now, top });
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [activity]);
  return <canvas ref={canvas} className={styles.chart} role="img" aria-label={summary} />;
}

/** A value over time, noted when it changes. */
class Line {
  #points: { at: number; value: number }[] = [];

  get values(): readonly number[] {
    return this.#points.map(({ value }) => value);
  }

  note(at: number, value: number): void {
    if (this.#points.at(-1)?.value !== value) this.#points.push({ at, value });
    // The last one before the span begins is the value with which it begins.
    while (this.#points.length > 1 && this.#points[1]!.at < at - SPAN * 1_000) this.#points.shift();
  }

  *[Symbol.iterator]() {
    yield* this.#points;
  }
}

interface Picture {
  messages: readonly number[];
  voices: Line;
  now: number;
  top: number;
}

const MARGIN = { left: 28, right: 4, top: 10, bottom: 22 };

function paint(context: CanvasRenderingContext2D, canvas: HTMLCanvasElement, { messages, voices, now, top }: Picture): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${style.fontFamily}`;

  const right = width - MARGIN.right;
  const base = height - MARGIN.bottom;
  const x = (time: number) => right - ((now - time) / (SPAN * 1_000)) * (right - MARGIN.left);
  const y = (value: number) => base - (value / top) * (base - MARGIN.top);

  context.lineWidth = 1;
  context.strokeStyle = color("--grid");
  context.fillStyle = color("--text");
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of ticks(top)) {
    context.globalAlpha = value === 0 ? 1 : 0.6;
    context.beginPath();
    context.moveTo(MARGIN.left, Math.round(y(value)) + 0.5);
    context.lineTo(right, Math.round(y(value)) + 0.5);
    context.stroke();
    context.globalAlpha = 1;
    context.fillText(String(value), MARGIN.left - 8, y(value));
  }
  context.textBaseline = "alphabetic";
  for (const ago of [60, 40, 20, 0]) {
    context.textAlign = ago === 60 ? "left" : ago === 0 ? "right" : "center";
    context.fillText(ago ? `${ago} s ago` : "now", x(now - ago * 1_000), height - 4);
  }

  context.save();
  context.beginPath();
  context.rect(MARGIN.left, 0, right - MARGIN.left, height);
  context.clip();
  const second = Math.floor(now / 1_000);
  const step = (right - MARGIN.left) / SPAN;
  context.fillStyle = color("--bars");
  messages.forEach((count, index) => {
    if (!count) return;
    const left = x((second - SPAN + index) * 1_000);
    context.beginPath();
    context.roundRect(left + 1, y(count), Math.max(1, step - 2), base - y(count), [Math.min(3, step / 3), Math.min(3, step / 3), 0, 0]);
    context.fill();
  });

  context.strokeStyle = color("--line-of-people");
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  let before: number | undefined;
  for (const { at, value } of voices) {
    if (before === undefined) context.moveTo(x(at), y(value));
    else {
      context.lineTo(x(at), y(before));
      context.lineTo(x(at), y(value));
    }
    before = value;
  }
  context.lineTo(right, y(before ?? 0));
  context.stroke();
  context.restore();
}

/** Some round numbers up to the top. */
function ticks(top: number): number[] {
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 1);
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}
