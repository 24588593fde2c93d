/**
 * Components: connected sets of pixels on one side of a threshold.
 * Decides nothing about text; it cuts a plane into pieces and describes each. Pixels that touch at
 * a corner are connected, since thin strokes are. Memory follows the number of runs, and pieces
 * that are larger than any letter are dropped.
 * Shapes: planes are [y, x] uint8; a box is x, y, width, height in pixels of the plane.
 */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  /** [y, x], 0 to 255. */
  readonly data: Uint8Array;
}

export interface Component {
  readonly left: number;
  readonly top: number;
  /** Both inside the component. */
  readonly right: number;
  readonly bottom: number;
  /** Pixels. */
  readonly area: number;
  /** Horizontal runs: two ends each. */
  readonly runs: number;
  /** Mean value of its pixels. */
  readonly level: number;
  /** Mean step of value over its run ends, two pixels wide; always positive. */
  readonly step: number;
  /** Mean value of the pixels beside its run ends. */
  readonly outside: number;
}

export interface Cut {
  /** Values of the pixels wanted, both included. */
  readonly from: number;
  readonly to: number;
  /** Longer runs are left out: a long line does not tie letters together. @unit pixels */
  readonly runMax: number;
  /** Larger pieces are dropped. @unit pixels */
  readonly heightMax: number;
  readonly widthMax: number;
  /** Smaller pieces are dropped. @unit pixels */
  readonly heightMin: number;
}

/** Grown only, and used again: a plane has up to a million runs. */
class Runs {
  parent = new Int32Array(4096);
  first = new Int32Array(4096);
  last = new Int32Array(4096);
  row = new Int32Array(4096);
  count = 0;

  add(y: number, from: number, to: number): number {
    if (this.count === this.first.length) this.#grow();
    const at = this.count;
    this.parent[at] = at;
    this.first[at] = from;
    this.last[at] = to;
    this.row[at] = y;
    this.count += 1;
    return at;
  }
  root(of: number): number {
    const { parent } = this;
    let at = of;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }
  join(a: number, b: number): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x < y) this.parent[y] = x;
    else this.parent[x] = y;
  }
  #grow(): void {
    const twice = (of: Int32Array): Int32Array<ArrayBuffer> => {
      const next = new Int32Array(of.length * 2);
      next.set(of);
      return next;
    };
    this.parent = twice(this.parent);
    this.first = twice(this.first);
    this.last = twice(this.last);
    this.row = twice(this.row);
  }
}

/** The components of the plane at this cut, in no promised order. */
export function componentsOf(plane: Plane, cut: Cut): Component[] {
  const runs = runsOf(plane, cut);
  return measured(plane, cut, runs);
}

function runsOf({ rows, columns, data }: Plane, { from: low, to: high, runMax }: Cut): Runs {
  const runs = new Runs();
  let [aboveFrom, aboveTo] = [0, 0];
  for (let y = 0; y < rows; y += 1) {
    const start = y * columns;
    const end = start + columns;
    const rowFrom = runs.count;
    let above = aboveFrom;
    let at = start;
    while (at < end) {
      while (at < end && (data[at]! < low || data[at]! > high)) at += 1;
      if (at === end) break;
      const from = at;
      while (at < end && data[at]! >= low && data[at]! <= high) at += 1;
      if (at - from > runMax) continue;
      const run = runs.add(y, from - start, at - 1 - start);
      const [first, last] = [from - start - 1, at - start];
      while (above < aboveTo && runs.last[above]! < first) above += 1;
      for (let n = above; n < aboveTo && runs.first[n]! <= last; n += 1) runs.join(n, run);
    }
    [aboveFrom, aboveTo] = [rowFrom, runs.count];
  }
  return runs;
}

/** Sums of one wanted piece. */
class Piece {
  sum = 0;
  stepSum = 0;
  outsideSum = 0;
  ends = 0;
}

/** Boxes and areas by root, flat: a noisy plane has more pieces than a map is quick for. */
function measured(plane: Plane, cut: Cut, runs: Runs): Component[] {
  const { count } = runs;
  const left = new Int32Array(count).fill(plane.columns);
  const [right, bottom] = [new Int32Array(count), new Int32Array(count)];
  const [area, rows] = [new Int32Array(count), new Int32Array(count)];
  for (let run = 0; run < count; run += 1) {
    const root = runs.root(run);
    runs.parent[run] = root;
    const [first, last] = [runs.first[run]!, runs.last[run]!];
    if (first < left[root]!) left[root] = first;
    if (last > right[root]!) right[root] = last;
    bottom[root] = runs.row[run]!;
    area[root]! += last - first + 1;
    rows[root]! += 1;
  }
  const pieces = new Map<number, Piece>();
  for (let root = 0; root < count; root += 1) {
    if (runs.parent[root] !== root) continue;
    const height = bottom[root]! - runs.row[root]! + 1;
    const isWanted =
      height >= cut.heightMin &&
      height <= cut.heightMax &&
      right[root]! - left[root]! < cut.widthMax;
    if (isWanted) pieces.set(root, new Piece());
    else area[root] = 0;
  }
  for (let run = 0; run < count; run += 1) {
    const root = runs.parent[run]!;
    if (area[root]! > 0) addValues(plane, pieces.get(root)!, runs, run);
  }
  return Array.from(pieces, ([root, { sum, stepSum, outsideSum, ends }]) => ({
    ...{ left: left[root]!, right: right[root]!, top: runs.row[root]!, bottom: bottom[root]! },
    ...{ area: area[root]!, runs: rows[root]!, level: sum / area[root]! },
    step: Math.abs(stepSum) / Math.max(1, ends),
    outside: outsideSum / Math.max(1, ends),
  }));
}

function addValues({ columns, data }: Plane, piece: Piece, runs: Runs, run: number): void {
  const start = runs.row[run]! * columns;
  const [first, last] = [runs.first[run]!, runs.last[run]!];
  for (let x = first; x <= last; x += 1) piece.sum += data[start + x]!;
  const half = (last - first) >> 1;
  if (first >= 2) {
    piece.outsideSum += data[start + first - 2]!;
    piece.stepSum += data[start + first + Math.min(1, half)]! - data[start + first - 2]!;
    piece.ends += 1;
  }
  if (last < columns - 2) {
    piece.outsideSum += data[start + last + 2]!;
    piece.stepSum += data[start + last - Math.min(1, half)]! - data[start + last + 2]!;
    piece.ends += 1;
  }
}
