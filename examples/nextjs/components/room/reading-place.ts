"use client";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** As near to the end as this counts as at the end, in pixels. */
const NEAR = 40;

/**
 * Keeps what somebody reads where it is, whatever is put before it or after it: at the end they see what comes, and
 * anywhere else the line at the top of the pane stays put. Browsers have something like it (`overflow-anchor`), but
 * not all of them, and not at the very top, where older messages are put in.
 */
export function useReadingPlace() {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  /** The first line that is in sight, and how far its end is from the top; `null` at the end. */
  const place = useRef<{ line: Element; distance: number } | null>(null);
  const [atEnd, setAtEnd] = useState(true);

  const keep = useCallback(() => {
    const box = scroller.current;
    if (!box) return;
    // If the line is gone, the list began anew.
    if (!place.current?.line.isConnected) box.scrollTop = box.scrollHeight;
    // The end of the line, not its beginning: a name above it may come or go.
    else box.scrollTop += distanceOf(place.current.line, box) - place.current.distance;
  }, []);

  const toEnd = useCallback(() => {
    place.current = null;
    setAtEnd(true);
    keep();
  }, [keep]);

  // After each change, and before it is seen.
  useLayoutEffect(keep);

  useEffect(() => {
    const box = scroller.current;
    if (!box || !content.current) return;
    const note = () => {
      const isEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
      const line = isEnd ? undefined : firstInSight(box);
      place.current = line ? { line, distance: distanceOf(line, box) } : null;
      setAtEnd(!line);
    };
    // A pane that gets narrower or lower, by a phone's keyboard, say.
    const observer = new ResizeObserver(keep);
    observer.observe(box);
    observer.observe(content.current);
    box.addEventListener("scroll", note, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", note);
    };
  }, [keep]);

  return { scroller, content, atEnd, toEnd };
}

const distanceOf = (line: Element, box: Element) => line.getBoundingClientRect().bottom - box.getBoundingClientRect().top;

function firstInSight(box: Element): Element | undefined {
  const lines = box.getElementsByTagName("li");
  // By halves: there may be a thousand of them.
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (distanceOf(lines[middle]!, box) > 0) high = middle;
    else low = middle + 1;
  }
  return lines[low];
}
