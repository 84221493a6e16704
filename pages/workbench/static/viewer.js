// Shows a page with its lines: zoom, pan, the way between picture and text, and editing the lines with mouse, pen,
// finger and keys. The functions on shapes are in viewer_shapes.js, the pointer's work in viewer_pointer.js; Python
// puts the three files together.
//
// Edits go to Python as a list of numbered operations. Python makes those that are new and answers with the number of
// the last (`data.applied`), so none is lost or made twice. Until then the picture shows them already.

const SVG = "http://www.w3.org/2000/svg"
const MOST_ZOOM = 12 // times the size at which the whole page is seen
const ZOOM_STEP = 1.3
const PAN_STEP = 60 // CSS pixels a key press
const NUMBER_SIZE = [8, 13] // CSS pixels of the lines' numbers, at least and at most
const NUMBER_SHARE = 0.6 // of its line's height that a number has otherwise
const ICONS = {
  in: "M12 5v14M5 12h14",
  out: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  left: "M4 5v5h5M4.6 10A8 8 0 1 1 4 13",
  right: "M20 5v5h-5M19.4 10A8 8 0 1 0 20 13",
  full: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  delete: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  merge: "M5 5h14M5 19h14M12 8v8M9 13l3 3 3-3",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  kind: "M6 5h11M6 5l6 7-6 7h11",
  undo: "M8 5L4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  reset: "M5 5l14 14M19 5L5 19",
  done: "M5 13l5 5L20 7",
}

class Viewer {
  constructor(host) {
    this.host = host
    this.edits = []
    this.last = 0 // number of the last edit
    this.line = this.word = null // the active line and word
    this.selected = null // the id of the line that is edited
    this.editing = false
    this.page = null
    this.scale = 1
    this.offset = [0, 0] // of the picture's upper left corner in the frame, in CSS pixels
    this.build()
    this.pointer = new Pointer(this)
    this.onText = (event) => this.clickedInText(event)
    this.onLine = (event) => event.detail.from !== "picture" && this.activate(event.detail.line, event.detail.word)
    this.resizing = new ResizeObserver(() => this.refit())
    this.resizing.observe(this.frame)
  }

  build() {
    const make = (tag, name, parent = this.host) => {
      const element = document.createElement(tag)
      element.className = name
      parent.append(element)
      return element
    }
    this.frame = make("div", "frame")
    this.frame.tabIndex = 0
    this.frame.setAttribute("role", "group")
    this.stage = make("div", "stage", this.frame)
    this.image = make("img", "", this.stage)
    this.overlay = document.createElementNS(SVG, "svg")
    this.overlay.setAttribute("class", "overlay")
    this.overlay.setAttribute("aria-hidden", "true")
    this.stage.append(this.overlay)
    this.bar = make("div", "bar")
    this.buttons = {}
    const button = (name, label, action, edit) => {
      const element = make("button", "", this.bar)
      element.type = "button"
      element.title = label
      element.setAttribute("aria-label", label)
      element.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`
      element.onclick = action
      element.dataset.edit = edit === undefined ? "" : edit
      this.buttons[name] = element
    }
    button("out", "Zoom out", () => this.zoom(1 / ZOOM_STEP))
    button("in", "Zoom in", () => this.zoom(ZOOM_STEP))
    button("fit", "Show the whole page", () => this.fit())
    button("full", "Full screen", () => this.toggleFull())
    button("left", "Rotate this page left", () => this.send({ op: "turn", by: 90 }), false)
    button("right", "Rotate this page right", () => this.send({ op: "turn", by: -90 }), false)
    this.status = make("div", "status", this.bar)
    this.status.setAttribute("role", "status")
    button("kind", "Treat as formula", () => this.changeKind(), true)
    button("merge", "Merge with next line", () => this.withNeighbour("merge", 1), true)
    button("up", "Move up in the order", () => this.withNeighbour("swap", -1), true)
    button("down", "Move down in the order", () => this.withNeighbour("swap", 1), true)
    button("delete", "Delete line", () => this.deleteSelected(), true)
    button("undo", "Undo", () => this.send({ op: "undo" }), true)
    button("reset", "Reset to detected lines", () => this.send({ op: "reset" }), true)
    button("edit", "Edit lines", () => this.toggleEditing())
    this.buttons.edit.dataset.last = ""
    this.buttons.edit.append(make("span", "label", this.buttons.edit))
    this.host.addEventListener("keydown", (event) => {
      this.pressed(event)
      if (event.key === "Escape" && this.full && !event.defaultPrevented) this.toggleFull()
    })
  }

  update({ data, setStateValue }) {
    const { picture, page } = this.data ?? {}
    this.data = data
    this.setStateValue = setStateValue
    this.last = Math.max(this.last, data.applied)
    const open = this.edits.filter((edit) => edit.n > data.applied && edit.page === data.page)
    this.edits = open.map((edit) => (edit.op === "draw" ? edit : { ...edit, id: this.nameNow(edit.id) }))
    this.selected = this.nameNow(this.selected)
    if (picture !== data.picture) this.image.src = mediaAddress(data.picture)
    this.image.alt = data.alt
    this.frame.setAttribute("aria-label", `${data.alt}. Arrow keys choose a line, plus and minus zoom.`)
    this.stage.style.width = `${data.width}px`
    this.stage.style.height = `${data.height}px`
    this.frame.style.aspectRatio = `${data.width} / ${data.height}`
    this.overlay.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`)
    const shape = `${data.page} ${data.width} ${data.height}`
    if (this.shape !== shape) {
      this.shape = shape
      if (page !== data.page) this.line = this.word = this.selected = null
      this.fitted = true
    }
    this.refit()
    this.draw()
  }

  // The id that a line has now: edits that the server has made changed it.
  nameNow(id) {
    let name = id
    for (let steps = 0; this.data.renamed[name] && steps < 99; steps += 1) {
      if (this.data.regions.some((region) => region.id === name)) break
      name = this.data.renamed[name]
    }
    return name
  }

  attach() {
    document.addEventListener("click", this.onText)
    document.addEventListener("hwr-line", this.onLine)
  }

  detach() {
    document.removeEventListener("click", this.onText)
    document.removeEventListener("hwr-line", this.onLine)
  }

  // ---- what is seen of the page

  get fitScale() {
    return Math.min(this.frame.clientWidth / this.data.width, this.frame.clientHeight / this.data.height) || 1
  }

  refit() {
    if (this.data && this.fitted) this.fit()
    else if (this.data) this.show()
  }

  fit() {
    this.fitted = true
    this.scale = this.fitScale
    this.offset = [0, 0]
    this.show()
  }

  // Zooms by a factor around a point of the frame, in CSS pixels from its upper left corner.
  zoom(factor, at = [this.frame.clientWidth / 2, this.frame.clientHeight / 2]) {
    const fit = this.fitScale
    const scale = Math.min(MOST_ZOOM * fit, Math.max(fit, this.scale * factor))
    this.fitted = scale <= fit * 1.001
    this.offset = minus(at, times(minus(at, this.offset), scale / this.scale))
    this.scale = scale
    this.show()
  }

  pan(by) {
    this.offset = plus(this.offset, by)
    this.show()
  }

  show() {
    const room = [this.frame.clientWidth, this.frame.clientHeight]
    const size = [this.data.width * this.scale, this.data.height * this.scale]
    this.offset = this.offset.map((value, axis) =>
      size[axis] <= room[axis] ? (room[axis] - size[axis]) / 2 : Math.min(0, Math.max(room[axis] - size[axis], value)))
    this.stage.style.transform = `translate(${this.offset[0]}px, ${this.offset[1]}px) scale(${this.scale})`
    this.stage.style.setProperty("--scale", this.scale)
    this.frame.classList.toggle("zoomed", !this.fitted)
    this.buttons.fit.disabled = this.buttons.out.disabled = this.fitted
    this.buttons.in.disabled = this.scale >= MOST_ZOOM * this.fitScale * 0.999
    for (const number of this.overlay.querySelectorAll(".number")) {
      const [least, most] = NUMBER_SIZE
      const size = Math.min(most, Math.max(least, NUMBER_SHARE * number.dataset.depth * this.scale))
      number.setAttribute("font-size", size / this.scale)
    }
    for (const handle of this.overlay.querySelectorAll(".handle")) handle.setAttribute("r", 5 / this.scale)
  }

  reveal(corners) {
    if (this.fitted) return
    const [[left, top], , [right, bottom]] = around(corners)
    const room = [this.frame.clientWidth, this.frame.clientHeight]
    const low = plus(times([left, top], this.scale), this.offset)
    const high = plus(times([right, bottom], this.scale), this.offset)
    this.pan([0, 1].map((axis) => (low[axis] < 0 ? 12 - low[axis] : Math.min(0, room[axis] - 12 - high[axis]))))
  }

  toggleFull() {
    this.full = !this.full
    // In the browser's top layer, which covers the sidebar too and needs no permission.
    if (this.full) {
      this.host.setAttribute("popover", "manual")
      this.host.showPopover()
    } else {
      this.host.hidePopover()
      this.host.removeAttribute("popover")
    }
    this.buttons.full.setAttribute("aria-pressed", this.full)
    this.frame.focus({ preventScroll: true })
  }

  // From a pointer's place on the screen to the picture's pixels.
  at(event) {
    const box = this.frame.getBoundingClientRect()
    return times(minus([event.clientX - box.left, event.clientY - box.top], this.offset), 1 / this.scale)
  }

  // ---- lines and words

  get regions() {
    return edited(this.data.regions, this.edits)
  }

  get region() {
    return this.regions.find((region) => region.id === this.selected)
  }

  draw() {
    const parts = []
    const points = (corners) => corners.map((corner) => corner.map((value) => Math.round(value * 10) / 10)).join(" ")
    const shape = (corners, name, rest = "") => parts.push(`<polygon class="${name}" points="${points(corners)}"${rest}/>`)
    for (const { id, corners, formula, line } of this.regions) {
      if (line === null && !this.editing && !String(id).startsWith("new-")) continue
      const known = line === null ? null : this.data.lines[line]
      const active = this.editing ? id === this.selected : line !== null && line === this.line
      const kinds = { formula, corrected: known?.corrected, empty: line === null, active }
      const name = ["line", ...Object.keys(kinds).filter((kind) => kinds[kind])].join(" ")
      shape(corners, name, ` data-id="${id}"${line === null ? "" : ` data-place="${line}"`}`)
      const [x, y] = corners[3]
      const depth = Math.hypot(...minus(corners[3], corners[0]))
      const label = line === null ? "" : line + 1
      parts.push(`<text class="number" data-depth="${depth}" x="${x - 3 / this.scale}" y="${y - 2}">${label}</text>`)
    }
    if (!this.editing) this.drawWords(shape, parts)
    for (const corners of this.data.unread) shape(corners, "unread")
    if (this.drawn) shape(this.drawn, "drawn")
    if (this.editing && this.region) {
      for (const handle of HANDLES) {
        const [x, y] = handleAt(this.region.corners, handle)
        parts.push(`<circle class="handle" cx="${x}" cy="${y}" r="${5 / this.scale}"/>`)
      }
    }
    this.overlay.innerHTML = parts.join("")
    this.showTools()
    this.show()
  }

  drawWords(shape, parts) {
    this.data.lines.forEach(({ words }, line) => words.forEach(({ corners, doubtful }, word) => {
      const active = line === this.line && word === this.word ? " active" : ""
      shape(corners, `word${active}`, ` data-place="${line}" data-word="${word}"`)
      const [[x, y], [toX, toY]] = [corners[3], corners[2]]
      if (doubtful) parts.push(`<path class="doubt" d="M${x} ${y}L${toX} ${toY}"/>`)
    }))
  }

  showTools() {
    this.host.classList.toggle("editing", this.editing)
    const regions = this.regions
    const place = regions.findIndex((region) => region.id === this.selected)
    const none = place < 0
    for (const button of Object.values(this.buttons)) {
      if (button.dataset.edit) button.hidden = (button.dataset.edit === "true") !== this.editing
    }
    this.buttons.kind.disabled = this.buttons.delete.disabled = none
    this.buttons.merge.disabled = this.buttons.down.disabled = none || place === regions.length - 1
    this.buttons.up.disabled = none || place === 0
    this.buttons.undo.disabled = !this.data.undo
    this.buttons.reset.disabled = !this.data.own
    const kind = !none && regions[place].formula ? "Treat as text" : "Treat as formula"
    this.buttons.kind.title = kind
    this.buttons.kind.setAttribute("aria-label", kind)
    this.buttons.edit.setAttribute("aria-pressed", this.editing)
    this.buttons.edit.querySelector(".label").textContent = this.editing ? "Done" : "Edit lines"
    // A disabled button loses the focus, and with it the keys.
    if (this.host.getRootNode().activeElement?.disabled) this.frame.focus({ preventScroll: true })
    const tip = "Drag to draw a box. Tap a line to move, resize or delete it."
    this.status.textContent = this.editing ? (none ? tip : "Drag the line or its handles.") : this.described()
  }

  described() {
    const line = this.data.lines[this.line]
    if (!line) return ""
    const word = line.words[this.word]
    if (!word) return `Line ${this.line + 1}: ${line.remark}`
    return `Line ${this.line + 1}: “${word.text}” ${word.remark}`
  }

  // Makes a line and a word active here and, if the picture was clicked, in the text.
  activate(line, word = null, tell = false) {
    this.line = line
    this.word = word
    this.draw()
    const active = this.data.lines[line]
    if (active) {
      const corners = active.words[word]?.corners ?? this.regions.find((region) => region.line === line)?.corners
      if (corners) this.reveal(corners)
    }
    markInText(line, word, tell)
    if (tell) document.dispatchEvent(new CustomEvent("hwr-line", { detail: { line, word, from: "picture" } }))
  }

  clickedInText(event) {
    const place = event.target.closest?.("[data-line]")
    if (!place) return
    const word = event.target.closest("[data-word]")
    this.activate(Number(place.dataset.line), word ? Number(word.dataset.word) : null)
  }

  // ---- editing

  toggleEditing() {
    this.editing = !this.editing
    this.selected = null
    this.draw()
    this.frame.focus({ preventScroll: true })
  }

  select(id) {
    this.selected = id
    this.draw()
  }

  send(edit) {
    this.last += 1
    // A new list: one that is only longer than the last would be taken for it, and not be sent.
    this.edits = [...this.edits, { ...edit, n: this.last, page: this.data.page }]
    this.setStateValue("edits", this.edits)
    this.draw()
  }

  drawBox(corners) {
    const id = `new-${this.last + 1}`
    this.selected = id
    this.send({ op: "draw", id, corners, formula: false })
  }

  changeKind() {
    this.send({ op: "kind", id: this.selected, formula: !this.region.formula })
  }

  withNeighbour(op, step) {
    const regions = this.regions
    const place = regions.findIndex((region) => region.id === this.selected)
    const other = regions[place + step]
    if (other) this.send({ op, id: this.selected, other: other.id })
  }

  deleteSelected() {
    const id = this.selected
    this.selected = null
    this.send({ op: "delete", id })
  }

  pressed(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const arrow = arrows[event.key]
    if (event.altKey || (event.metaKey && event.key !== "z")) return
    if (event.key === "+" || event.key === "=") this.zoom(ZOOM_STEP)
    else if (event.key === "-") this.zoom(1 / ZOOM_STEP)
    else if (event.key === "0") this.fit()
    else if (event.key === "f") this.toggleFull()
    else if (this.editing && (event.ctrlKey || event.metaKey) && event.key === "z") this.send({ op: "undo" })
    else if (event.ctrlKey) return
    else if (this.editing && this.region && arrow) this.nudge(times(arrow, event.shiftKey ? 10 : 1))
    else if (this.editing && this.region && ["Delete", "Backspace"].includes(event.key)) this.deleteSelected()
    else if (this.editing && event.key === "Escape" && this.selected) this.select(null)
    else if (!this.fitted && arrow) this.pan(times(arrow, -PAN_STEP))
    else if (!this.editing && arrow) this.step(arrow)
    else return
    event.preventDefault()
  }

  nudge(by) {
    this.send({ op: "move", id: this.selected, corners: this.region.corners.map((corner) => plus(corner, by)) })
  }

  // Up and down choose a line, left and right a word of it.
  step([across, down]) {
    const lines = this.data.lines
    if (!lines.length) return
    if (down || this.line === null) {
      const line = this.line === null ? 0 : Math.min(lines.length - 1, Math.max(0, this.line + down))
      return this.activate(line, null, true)
    }
    const most = lines[this.line].words.length - 1
    const word = this.word === null ? (across > 0 ? 0 : most) : Math.min(most, Math.max(0, this.word + across))
    this.activate(this.line, word, true)
  }
}

// Marks the active line and word in the text beside the picture, and scrolls there if the picture was clicked.
function markInText(line, word, scroll) {
  for (const marked of document.querySelectorAll(".lines .active")) marked.classList.remove("active")
  const place = line === null ? null : document.querySelector(`.lines [data-line="${line}"]`)
  if (!place) return
  place.classList.add("active")
  if (word !== null) place.querySelector(`[data-word="${word}"]`)?.classList.add("active")
  if (scroll) place.scrollIntoView({ block: "nearest", behavior: "smooth" })
}

// The address of a file that Streamlit serves, also below a base path or behind a proxy.
function mediaAddress(path) {
  const script = document.querySelector("script[src*='static/js/']")
  return script ? new URL(path.replace(/^\//, "../../"), script.src).href : path
}

export default function (component) {
  if (isOld(component)) return
  const host = component.parentElement.querySelector(".viewer")
  host.viewer ??= new Viewer(host)
  host.viewer.attach()
  host.viewer.update(component)
  return () => host.viewer.detach()
}
