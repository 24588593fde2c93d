/**
 * The graph of the fracture stand-in: edges inside the limb, where they are strongest.
 * It stands where a product would stand and finds no fractures. Its boxes and scores really depend
 * on the pixels: Sobel edges, averaged over cells, switched off where a cell's surroundings reach
 * the black of air or the white of the unexposed border; local maxima; the strongest eight.
 * Shapes: input f32 [1, 1, 512, 512] in 0..1; boxes f32 [8, 4] (x1, y1, x2, y2 in input pixels);
 * scores f32 [8] in 0..1.
 */
import { constant, encodeModel, node } from './onnx-model.mjs';

const SIZE = 512;
/** Distance of the cells' centres. @unit pixels */
const STRIDE = 16;
const CELLS = SIZE / STRIDE;
/** Side of the area that a cell averages over. @unit pixels */
const WINDOW = 32;
/** Side of the area in which the border switches a cell off: it fades over tens of pixels. */
const BORDER_WINDOW = 96;
const BOX_SIDE = 64;
const BOXES = 8;
/** Air in a radiograph of a limb is darker than this, and the border brighter than that. */
const AIR = 0.12;
const BORDER = 0.97;
/** How sharp the two switches are. */
const SWITCH = 60;
/** Mean edge that scores 0.5, and how fast the score rises around it; tried on RG3_J2KR.dcm. */
const ENERGY_HALF = 0.145;
const ENERGY_SLOPE = 40;

const sobelX = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
const sobelY = [-1, -2, -1, 0, 0, 0, 1, 2, 1];
const OFFSETS = [-BOX_SIDE / 2, -BOX_SIDE / 2, BOX_SIDE / 2, BOX_SIDE / 2];
const ints = (name, values) => constant(name, [values.length], values, 'int64');
const number = (name, value) => constant(name, [], [value]);
/** Pooling around each cell's centre. */
const around = (side) => ({
  kernel_shape: [side, side],
  strides: [STRIDE, STRIDE],
  pads: Array(4).fill((side - STRIDE) / 2),
});

const constants = [
  ints('one_pixel', [0, 0, 1, 1, 0, 0, 1, 1]),
  constant('sobel', [2, 1, 3, 3], [...sobelX, ...sobelY]),
  ints('channel_axis', [1]),
  ...[number('air', AIR), number('border', BORDER), number('switch', SWITCH)],
  ...[number('energy_half', ENERGY_HALF), number('energy_slope', ENERGY_SLOPE)],
  ...[ints('flat', [-1]), ints('box_count', [BOXES]), ints('column_axis', [1])],
  ...[constant('cells', [], [CELLS], 'int64'), number('stride', STRIDE)],
  number('half_stride', STRIDE / 2),
  constant('offsets', [1, 4], OFFSETS),
  ...[number('zero', 0), number('size', SIZE)],
];

const edges = [
  // The picture goes on at its rim: the rim itself is no edge.
  node('Pad', ['input', 'one_pixel'], 'padded', { mode: 'edge' }),
  node('Conv', ['padded', 'sobel'], 'gradients', { kernel_shape: [3, 3] }),
  node('Abs', 'gradients', 'strengths'),
  node('ReduceSum', ['strengths', 'channel_axis'], 'edges', { keepdims: 1 }),
  node('AveragePool', 'edges', 'mean_edges', around(WINDOW)),
];
const switches = [
  node('MaxPool', 'input', 'brightest', around(BORDER_WINDOW)),
  node('Sub', ['border', 'brightest'], 'below_border'),
  node('Mul', ['below_border', 'switch'], 'below_border_steep'),
  node('Sigmoid', 'below_border_steep', 'is_inside'),
  node('Neg', 'input', 'negative'),
  node('MaxPool', 'negative', 'negative_darkest', around(WINDOW)),
  node('Add', ['negative_darkest', 'air'], 'below_air'),
  node('Mul', ['below_air', 'switch'], 'below_air_steep'),
  node('Sigmoid', 'below_air_steep', 'is_air'),
  node('Mul', ['is_air', 'is_inside'], 'air_inside'),
  node('Sub', ['is_inside', 'air_inside'], 'is_limb'),
  node('Mul', ['mean_edges', 'is_limb'], 'energy'),
];
const peaks = [
  node('MaxPool', 'energy', 'neighbourhood', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  node('Equal', ['energy', 'neighbourhood'], 'is_peak'),
  node('Cast', 'is_peak', 'peak_mask', { to: 1 }),
  node('Mul', ['energy', 'peak_mask'], 'peaks'),
  node('Reshape', ['peaks', 'flat'], 'flat_peaks'),
  node('TopK', ['flat_peaks', 'box_count'], ['best', 'best_cell']),
  node('Sub', ['best', 'energy_half'], 'over_half'),
  node('Mul', ['over_half', 'energy_slope'], 'logits'),
  node('Sigmoid', 'logits', 'scores'),
];
const boxes = [
  node('Div', ['best_cell', 'cells'], 'row'),
  node('Mod', ['best_cell', 'cells'], 'column'),
  ...['column', 'row'].flatMap((axis) => [
    node('Cast', axis, `${axis}_number`, { to: 1 }),
    node('Mul', [`${axis}_number`, 'stride'], `${axis}_start`),
    node('Add', [`${axis}_start`, 'half_stride'], `${axis}_centre`),
    node('Unsqueeze', [`${axis}_centre`, 'column_axis'], `${axis}_centres`),
  ]),
  node(
    'Concat',
    ['column', 'row', 'column', 'row'].map((axis) => `${axis}_centres`),
    'centres',
    {
      axis: 1,
    },
  ),
  node('Add', ['centres', 'offsets'], 'boxes_beyond'),
  node('Clip', ['boxes_beyond', 'zero', 'size'], 'boxes'),
];

/** The bytes of the artefact. */
export function fractureStandIn() {
  return encodeModel({
    producerName: 'aifi/tools/stand-ins',
    opset: 13,
    graph: {
      name: 'fracture_stand_in',
      doc: 'STAND-IN, NOT FOR CLINICAL USE: finds edges, no fractures',
      inputs: [{ name: 'input', dims: [1, 1, SIZE, SIZE] }],
      outputs: [
        { name: 'boxes', dims: [BOXES, 4] },
        { name: 'scores', dims: [BOXES] },
      ],
      constants,
      nodes: [...edges, ...switches, ...peaks, ...boxes],
    },
  });
}
