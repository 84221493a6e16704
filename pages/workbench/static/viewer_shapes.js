// Shapes on the page picture, in its pixels. Every shape has four corners, clockwise from the upper left of the writing.

const HANDLES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]]
const LEAST_SIDE = 8 // pixels of the picture that a box has each way at least

const minus = (a, b) => [a[0] - b[0], a[1] - b[1]]
const plus = (a, b) => [a[0] + b[0], a[1] + b[1]]
const times = (a, factor) => [a[0] * factor, a[1] * factor]
const dot = (a, b) => a[0] * b[0] + a[1] * b[1]
const unit = (a) => times(a, 1 / Math.max(1e-6, Math.hypot(...a)))
const middle = (...points) => times(points.reduce(plus), 1 / points.length)

// The box between two corners that were dragged; null if it is too small.
function boxBetween(a, b, width, height) {
  const [left, right] = [a[0], b[0]].map((x) => Math.min(width, Math.max(0, x))).sort((p, q) => p - q)
  const [top, bottom] = [a[1], b[1]].map((y) => Math.min(height, Math.max(0, y))).sort((p, q) => p - q)
  if (right - left < LEAST_SIDE || bottom - top < LEAST_SIDE) return null
  return [[left, top], [right, top], [right, bottom], [left, bottom]]
}

// Where the handle [across, down] of a shape lies: -1, 0, 1 are its start, middle and end.
function handleAt(corners, [across, down]) {
  const [a, b, c, d] = corners
  const upper = across < 0 ? a : across > 0 ? b : middle(a, b)
  const lower = across < 0 ? d : across > 0 ? c : middle(d, c)
  return down < 0 ? upper : down > 0 ? lower : middle(upper, lower)
}

// The shape after a handle was dragged by `by`. The opposite side stays; slanted shapes keep their slant.
function resized(corners, [across, down], by) {
  const along = unit(minus(corners[1], corners[0]))
  const deep = unit(minus(corners[3], corners[0]))
  const length = Math.hypot(...minus(corners[1], corners[0]))
  const depth = Math.hypot(...minus(corners[3], corners[0]))
  const wider = across * Math.max(LEAST_SIDE - length, across * dot(by, along))
  const deeper = down * Math.max(LEAST_SIDE - depth, down * dot(by, deep))
  const sides = [[-1, -1], [1, -1], [1, 1], [-1, 1]] // of the corners
  return corners.map((corner, place) => {
    const right = sides[place][0] === across ? wider : 0
    const lower = sides[place][1] === down ? deeper : 0
    return plus(corner, plus(times(along, right), times(deep, lower)))
  })
}

function contains(corners, point) {
  return corners.every((corner, place) => {
    const side = minus(corners[(place + 1) % 4], corner)
    const to = minus(point, corner)
    return side[0] * to[1] - side[1] * to[0] >= 0
  })
}

const area = (corners) =>
  Math.hypot(...minus(corners[1], corners[0])) * Math.hypot(...minus(corners[3], corners[0]))

// The upright box around shapes.
function around(...shapes) {
  const points = shapes.flat()
  const xs = points.map((point) => point[0])
  const ys = points.map((point) => point[1])
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  return [[left, top], [right, top], [right, bottom], [left, bottom]]
}

// The lines as they will be once the server has made the edits that it has not answered yet.
function edited(regions, edits) {
  return edits.reduce((list, edit) => {
    const place = list.findIndex((region) => region.id === edit.id)
    if (edit.op === "draw") return [...list, { id: edit.id, corners: edit.corners, formula: edit.formula, line: null }]
    if (place < 0) return list
    const changed = [...list]
    const other = list.findIndex((region) => region.id === edit.other)
    if (edit.op === "move") changed[place] = { ...list[place], corners: edit.corners }
    if (edit.op === "kind") changed[place] = { ...list[place], formula: edit.formula }
    if (edit.op === "delete") changed.splice(place, 1)
    if (edit.op === "swap" && other >= 0) [changed[place], changed[other]] = [list[other], list[place]]
    if (edit.op === "merge" && other >= 0) {
      changed[place] = { ...list[place], corners: around(list[place].corners, list[other].corners) }
      changed.splice(other, 1)
    }
    return changed
  }, regions)
}
