/**
 * Picture phantoms: pictures without text, for measuring what the gate sees and what it imagines.
 * Decides the shapes that look most like letters without being any: a patient table, a head holder,
 * a padding circle, noise in air, ribs, a collimator edge, speckle. Same seed, same pixels.
 * Shapes: [y, x]; CT in HU, the others in stored values.
 */
import { chanceOf, type Chance } from './planted-content.js';
import type { Canvas } from './planted-text.js';

/** Taken out of the global object once: they run for every pixel. */
const { abs, atan2, cos, hypot, max, min, round, sin } = Math;

export type PhantomKind = 'ct' | 'mr' | 'radiograph' | 'ultrasound';

/** A fresh picture; `low` and `high` are its display range. */
export function phantomOf(kind: PhantomKind, seed: number): Canvas {
  const chance = chanceOf(seed);
  if (kind === 'ct') return ctPhantom(chance);
  if (kind === 'mr') return mrPhantom(chance);
  return kind === 'radiograph' ? radiographPhantom(chance) : ultrasoundPhantom(chance);
}

function canvasOf(rows: number, columns: number, low: number, high: number): Canvas {
  return { rows, columns, values: new Float32Array(rows * columns), low, high };
}

/** Fills by a function of the pixel. */
function paint({ rows, columns, values }: Canvas, value: (x: number, y: number) => number): void {
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) values[y * columns + x] = round(value(x, y));
  }
}

/** Sum of four even chances: nearly normal, standard deviation about `spread`. */
function noise(chance: Chance, spread: number): number {
  const sum = chance.next() + chance.next() + chance.next() + chance.next();
  return (sum - 2) * 1.73 * spread;
}

function ctPhantom(chance: Chance): Canvas {
  const canvas = canvasOf(512, 512, -160, 240);
  const [wide, high] = [chance.within(150, 235), chance.within(110, 190)];
  const tableY = 256 + high + chance.within(4, 14);
  const sag = chance.within(6, 30);
  paint(canvas, (x, y) => {
    const [u, v] = [x - 256, y - 256];
    if (hypot(u, v) > 254) return -1024;
    const r = hypot(u / wide, v / high);
    const table = y - tableY + (sag * u * u) / 65_536;
    const isTable = abs(table) < 1.5 || abs(table - 22) < 1.5;
    if (r > 1) return isTable ? -100 + noise(chance, 40) : -1000 + noise(chance, 14);
    const isSpine = hypot(u, v - high * 0.55) < 24;
    const isRib = r > 0.86 && r < 0.92 && sin(atan2(v, u) * 18) > 0.3;
    const isLung = hypot((abs(u) - wide * 0.42) / 70, v / 80) < 1;
    if (isSpine || isRib) return 500 + noise(chance, 60);
    return (isLung ? -820 : r > 0.93 ? -90 : 45) + noise(chance, 12);
  });
  return canvas;
}

function mrPhantom(chance: Chance): Canvas {
  const canvas = canvasOf(256, 256, 0, 1200);
  const [wide, high] = [chance.within(70, 120), chance.within(85, 122)];
  paint(canvas, (x, y) => {
    const r = hypot((x - 128) / wide, (y - 128) / high);
    const air = abs(noise(chance, 18));
    if (r > 1) return air;
    const fold = sin(x / 5 + 4 * sin(y / 11)) * sin(y / 6);
    const signal = r > 0.94 ? 1100 : r > 0.88 ? 60 : fold > 0.2 ? 420 : 640;
    return max(0, signal + noise(chance, 25));
  });
  return canvas;
}

function radiographPhantom(chance: Chance): Canvas {
  const canvas = canvasOf(1024, 860, 0, 4095);
  const [left, top] = [chance.within(20, 90), chance.within(20, 90)];
  const turn = chance.next() * 0.08;
  paint(canvas, (x, y) => {
    const [u, v] = [x + turn * y, y - turn * x];
    const isOut = u < left || u > 860 - left || v < top || v > 1024 - top;
    if (isOut) return 60 + noise(chance, 8);
    const soft = 1500 + 900 * cos((x - 430) / 330) + 300 * sin(y / 400);
    const bone = abs(x - 430 + 40 * sin(y / 200)) < 60 ? 900 : 0;
    const rib = sin((y + ((x - 430) * (x - 430)) / 900) / 17) > 0.55 ? 350 : 0;
    return min(4095, soft + bone + rib + noise(chance, 40));
  });
  return canvas;
}

function ultrasoundPhantom(chance: Chance): Canvas {
  const canvas = canvasOf(600, 800, 0, 255);
  const top = chance.within(40, 70);
  paint(canvas, (x, y) => {
    const [u, v] = [x - 400, y - top + 60];
    const isFan = hypot(u, v) < 500 && hypot(u, v) > 70 && abs(u) < v * 0.9;
    if (!isFan) return 0;
    const tissue = 70 + 40 * sin(u / 60) * cos(v / 50);
    return max(0, min(235, tissue * (0.4 + chance.next() + chance.next() * 0.4)));
  });
  return canvas;
}
