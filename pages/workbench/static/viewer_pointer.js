// The pointers on the page viewer. One finger or the mouse: click, pan, or edit lines. Two fingers: zoom and pan.

const CLICK = 6 // CSS pixels that a click may move
const REACH = { mouse: 9, pen: 12, touch: 24 } // CSS pixels from a handle that still take it
const DOUBLE = 350 // milliseconds between the clicks of a double click
const DOUBLE_ZOOM = 2.5
const WHEEL = 0.0015 // share of zoom for each pixel of the wheel

class Pointer {
  constructor(viewer) {
    this.viewer = viewer
    this.down = new Map() // pointers on the frame, by their ids
    const frame = viewer.frame
    frame.addEventListener("pointerdown", (event) => this.pressed(event))
    frame.addEventListener("pointermove", (event) => this.moved(event))
    frame.addEventListener("pointerup", (event) => this.released(event))
    frame.addEventListener("pointercancel", (event) => this.cancelled(event))
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false })
  }

  wheel(event) {
    const { viewer } = this
    if (viewer.fitted && event.deltaY > 0 && !event.ctrlKey) return // the document scrolls
    event.preventDefault()
    const box = viewer.frame.getBoundingClientRect()
    const lines = event.deltaMode === 1 ? 20 : 1
    const at = [event.clientX - box.left, event.clientY - box.top]
    viewer.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 5 : 1) * WHEEL), at)
  }

  pressed(event) {
    if (event.button > 1) return
    const { viewer } = this
    this.down.set(event.pointerId, [event.clientX, event.clientY])
    viewer.frame.setPointerCapture(event.pointerId)
    if (this.down.size > 1) {
      this.drag = { kind: "pinch" }
      viewer.drawn = null
      return viewer.draw()
    }
    const start = [event.clientX, event.clientY]
    this.drag = { kind: this.kindAt(event), start, last: start, from: viewer.at(event), moved: false }
    if (["move", "resize"].includes(this.drag.kind)) this.drag.corners = viewer.region.corners
    if (viewer.editing && event.pointerType !== "touch") event.preventDefault()
    viewer.frame.focus({ preventScroll: true })
  }

  // What dragging from here does.
  kindAt(event) {
    const { viewer } = this
    if (!viewer.editing || event.button === 1) return "pan"
    const point = viewer.at(event)
    if (viewer.region) {
      const reach = REACH[event.pointerType] ?? REACH.mouse
      const near = HANDLES.map((handle) => {
        const away = Math.hypot(...minus(handleAt(viewer.region.corners, handle), point)) * viewer.scale
        return { handle, away }
      }).sort((a, b) => a.away - b.away)[0]
      if (near.away <= reach) {
        this.handle = near.handle
        return "resize"
      }
      if (contains(viewer.region.corners, point)) return "move"
    }
    return "draw"
  }

  moved(event) {
    if (!this.down.has(event.pointerId)) return
    const { viewer, drag } = this
    const before = [...this.down.values()]
    const now = [event.clientX, event.clientY]
    this.down.set(event.pointerId, now)
    if (drag.kind === "pinch") return this.pinched(before, [...this.down.values()])
    drag.moved ||= Math.hypot(...minus(now, drag.start)) > CLICK
    if (!drag.moved) return
    const by = minus(viewer.at(event), drag.from)
    if (drag.kind === "pan") {
      if (viewer.fitted) return
      viewer.frame.classList.add("grabbed")
      viewer.pan(minus(now, drag.last))
      drag.last = now
    } else if (drag.kind === "draw") {
      viewer.drawn = boxBetween(drag.from, viewer.at(event), viewer.data.width, viewer.data.height)
      viewer.draw()
    } else {
      drag.changed = drag.kind === "move"
        ? drag.corners.map((corner) => plus(corner, by))
        : resized(drag.corners, this.handle, by)
      this.preview(drag.changed)
    }
  }

  preview(corners) {
    const { viewer } = this
    const edits = viewer.edits
    viewer.edits = [...edits, { op: "move", id: viewer.selected, corners }]
    viewer.draw()
    viewer.edits = edits
  }

  pinched(before, now) {
    if (before.length < 2) return
    const box = this.viewer.frame.getBoundingClientRect()
    const spread = (points) => Math.hypot(...minus(points[0], points[1]))
    const centre = (points) => middle(points[0], points[1])
    this.viewer.offset = plus(this.viewer.offset, minus(centre(now), centre(before)))
    this.viewer.zoom(spread(now) / Math.max(1, spread(before)), minus(centre(now), [box.left, box.top]))
  }

  released(event) {
    if (!this.down.delete(event.pointerId)) return
    const { viewer, drag } = this
    viewer.frame.classList.remove("grabbed")
    if (drag.kind === "pinch") return
    if (!drag.moved) return this.clicked(event)
    if (drag.kind === "draw") {
      const corners = viewer.drawn
      viewer.drawn = null
      if (corners) viewer.drawBox(corners)
      else viewer.draw()
    } else if (drag.changed) {
      viewer.send({ op: "move", id: viewer.selected, corners: drag.changed })
    }
  }

  cancelled(event) {
    this.down.delete(event.pointerId)
    this.viewer.drawn = null
    this.viewer.draw()
  }

  clicked(event) {
    const { viewer } = this
    const point = viewer.at(event)
    if (viewer.editing) {
      const hits = viewer.regions.filter((region) => contains(region.corners, point))
      hits.sort((a, b) => area(a.corners) - area(b.corners))
      return viewer.select(hits[0]?.id ?? null)
    }
    const double = event.timeStamp - (this.clickedAt ?? -Infinity) < DOUBLE
    this.clickedAt = event.timeStamp
    if (double) {
      const box = viewer.frame.getBoundingClientRect()
      const at = [event.clientX - box.left, event.clientY - box.top]
      return viewer.fitted ? viewer.zoom(DOUBLE_ZOOM, at) : viewer.fit()
    }
    const line = viewer.data.lines.findIndex((_, place) =>
      viewer.regions.some((region) => region.line === place && contains(region.corners, point)))
    if (line < 0) return viewer.activate(null)
    const word = viewer.data.lines[line].words.findIndex((word) => contains(word.corners, point))
    viewer.activate(line, word < 0 ? null : word, true)
  }
}
