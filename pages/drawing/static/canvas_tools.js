// The canvas's tools: pen, eraser and selection. They replace the toolbar of the canvas component, which has a history
// of its own and cannot be switched off.
//
// What a person does goes to the server, which has the one history, as a list of numbered operations. The server makes
// those that are new and answers with the number of the last (`data.applied`), so none is lost or made twice. The canvas
// component shows the strokes. It would send the whole drawing after each one, so the strokes are taken here.
const ICONS = {
  pen: '<path d="M4 20l1-5L16 4l4 4L9 19z"/><path d="M13 7l4 4"/>',
  erase: '<path d="M8 20l-5-5L14 4l6 6-10 10z"/><path d="M9 9l6 6"/><path d="M8 20h12"/>',
  select: '<path d="M4 8V4h4M12 4h2M18 4h2v2M20 10v3M4 12v2M4 18v2h3"/><path d="M12 12l9 4-4 1-1 4z"/>',
  delete: '<path d="M4 7h16"/><path d="M9 7V4h6v3"/><path d="M6 7l1 13h10l1-13"/>',
}
const TOOLS = [["pen", "Pen"], ["erase", "Eraser"], ["select", "Select"]]
const LEAST_CHANGE = 8 // pixels of the column's width; smaller changes are not reported
const SLACK = 8 // pixels around a stroke's box in which a click meets it
const LEAST_MOVE = 3 // pixels; less is a click
const LOOK_AGAIN = 500 // milliseconds after which it is looked whether the canvas is another one
const REPORT_AFTER = 200 // milliseconds without a change of width after which it is reported
const LEAST_STEP = 2 // pixels from one point of a stroke to the next
const MOST_POINTS = 9000 // of a stroke; the server takes 10,000
const PARTS = 10 // of a pixel: positions are rounded to them
const LONE_STEP = 40 // pixels by which an arrow key changes the canvas's height
const PENDING = "handwriting-recognition/edits" // name of the unconfirmed operations in the tab's own storage
const KEEP = "handwriting-recognition/keep" // is "false" if a person wants nothing to be kept
const EDIT = "hwr-edit" // the event with an operation from another component
const DRAWING = ["pointermove", "pointerup", "pointercancel"]
const known = new WeakMap()
let pending = takePending() // operations of the tools before: on this page earlier, or before a reload
let current = null // the tools on the page

document.addEventListener(EDIT, ({ detail }) => {
  if (current) detail.n = current.send(detail)
  else pending.edits.push({ ...detail, n: (pending.edits.at(-1)?.n ?? 0) + 1 }) // the page is being left
})

const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`
const isField = (element) => element?.matches?.("input, textarea, select, [contenteditable=true]")

function canvasRoot() {
  for (const element of document.querySelectorAll(".st-key-canvas, .st-key-canvas *")) {
    if (element.shadowRoot?.querySelector(".dc-root")) return element.shadowRoot
  }
  return null
}

function takePending() {
  try {
    if (localStorage.getItem(KEEP) === "false") sessionStorage.removeItem(PENDING)
    const text = sessionStorage.getItem(PENDING)
    sessionStorage.removeItem(PENDING)
    const { session, edits } = JSON.parse(text) ?? {}
    return { session, edits: Array.isArray(edits) ? edits : [] }
  } catch {
    return { edits: [] } // storage is blocked, or holds nonsense
  }
}

// Before the tools are there, a stroke on the canvas would be seen but not noted (see draw.css).
function become(tools) {
  current = tools
  document.documentElement.toggleAttribute("data-canvas-tools", tools !== null)
}

// A path as whole numbers: its first point and the steps to the others, in parts of a pixel.
function steps(points) {
  const whole = points.map((point) => point.map((value) => Math.round(value * PARTS)))
  return whole.flatMap(([x, y], place) => (place ? [x - whole[place - 1][0], y - whole[place - 1][1]] : [x, y]))
}

// Where the pen was since the last event: a browser tells it once per frame, and a busy one less often. Only where the page
// is served safely (HTTPS or this machine); elsewhere the event alone.
function moments(event) {
  const all = event.getCoalescedEvents?.() ?? []
  return all.length ? all : [event]
}

class CanvasTools {
  constructor(parent) {
    this.parent = parent
    this.page = location.pathname
    this.tool = "pen"
    this.selected = new Set()
    this.boxes = []
    this.reported = 0
    this.session = pending.session
    this.edits = pending.edits // operations that the server has not confirmed
    this.last = this.edits.at(-1)?.n ?? 0 // number of the last operation
    pending = { edits: [] }
    this.bar = parent.querySelector(".tools")
    for (const [name, label] of TOOLS) this.addButton(name, label, () => this.choose(name))
    this.addButton("delete", "Delete selected", () => this.deleteSelected())
    this.onKey = (event) => this.key(event)
    document.addEventListener("keydown", this.onKey)
    this.onClick = (event) => this.clicked(event)
    document.addEventListener("click", this.onClick, { capture: true })
    this.onDown = () => this.attach() // a canvas that has just come
    document.addEventListener("pointerdown", this.onDown, { capture: true })
    this.onDraw = (event) => this.drawn(event)
    for (const name of DRAWING) document.addEventListener(name, this.onDraw)
    this.widths = new ResizeObserver(() => this.fit())
    this.themes = new MutationObserver(() => this.paint())
    this.themes.observe(document.querySelector("[data-testid=stApp]") ?? document.body, { attributes: true })
    this.timer = setInterval(() => this.attach(), LOOK_AGAIN)
    this.addSkipLink()
    become(this)
  }

  addButton(name, label, onClick) {
    const button = document.createElement("button")
    button.type = "button"
    button.dataset.tool = name
    button.title = label
    button.innerHTML = `${icon(name)}<span>${label}</span>`
    button.onclick = onClick
    this.bar.append(button)
  }

  addSkipLink() {
    this.skip = document.createElement("a")
    this.skip.href = "#canvas"
    this.skip.textContent = "Skip to the canvas"
    this.skip.style.cssText = "position:fixed;top:-5rem;left:1rem;z-index:1000000;padding:.6rem 1rem;border-radius:.5rem;background:#2b4acb;color:#fff"
    this.skip.onfocus = () => { this.skip.style.top = "0.5rem" }
    this.skip.onblur = () => { this.skip.style.top = "-5rem" }
    this.skip.onclick = (event) => {
      event.preventDefault()
      this.upper?.focus()
    }
    const nav = document.createElement("nav")
    nav.setAttribute("aria-label", "Skip")
    nav.append(this.skip)
    this.skipNav = nav
    document.body.prepend(nav)
  }

  update(data, setStateValue) {
    this.data = data
    // A message to a page that one leaves would take the place of the next page, which would stay empty (Streamlit 1.67).
    this.setState = (name, value) => {
      if (location.pathname === this.page) setStateValue(name, value)
    }
    this.confirm(data)
    if (JSON.stringify(data.boxes) !== JSON.stringify(this.boxes)) {
      if (data.boxes.length !== this.boxes.length) this.selected.clear()
      this.boxes = data.boxes
    }
    this.attachSoon()
    this.fit()
    this.show()
  }

  // At the first frame that has the canvas: the tools' layers belong on it.
  attachSoon() {
    cancelAnimationFrame(this.frameAsked)
    this.attach()
    if (!this.upper) this.frameAsked = requestAnimationFrame(() => this.attachSoon())
  }

  send(edit) {
    this.last += 1
    this.edits = [...this.edits, { ...edit, n: this.last }]
    this.tell()
    this.keep()
    return this.last
  }

  // What was done before the stored drawing has come back is told then.
  tell() {
    if (this.data.ready) this.setState("edits", { session: this.data.session, list: this.edits })
  }

  // A reload must not lose what a busy server has not taken yet. What it has taken does not stay here.
  keep() {
    try {
      const kept = this.edits.length && localStorage.getItem(KEEP) !== "false"
      if (kept) sessionStorage.setItem(PENDING, JSON.stringify({ session: this.session, edits: this.edits }))
      else sessionStorage.removeItem(PENDING)
    } catch {} // storage is blocked or full
  }

  confirm({ session, ready, applied, restored }) {
    const waited = ready && !this.ready
    this.ready = ready
    if (!ready) return // what was stored may have some of the operations
    const fresh = this.session !== session
    if (this.session === restored[0]) this.edits = this.edits.filter((edit) => edit.n > restored[1])
    this.session = session
    if (fresh) this.edits = this.edits.map((edit, place) => ({ ...edit, n: applied + place + 1, version: null }))
    else this.edits = this.edits.filter((edit) => edit.n > applied)
    if (fresh) this.reported = 0
    this.last = fresh ? applied + this.edits.length : Math.max(this.last, applied)
    if ((fresh || waited) && this.edits.length) this.tell()
    this.keep()
  }

  // The pen's stroke, in the canvas's pixels, from the same events from which the component draws it.
  startStroke(event) {
    if (event.button || !event.isPrimary || this.tool !== "pen") return
    this.stroke = { pointer: event.pointerId, version: this.data.version, points: [], canvas: this.upper }
    this.stroke.points.push(this.onCanvas(event))
  }

  drawn(event) {
    if (this.stroke?.pointer !== event.pointerId) return
    if (event.type === "pointermove") return moments(event).forEach((moment) => this.addPoint(moment))
    const { points, version, canvas } = this.stroke
    this.stroke = null
    // A cancelled stroke is no stroke to the component, and another canvas has none of it: the server shows it.
    const seen = event.type === "pointerup" && canvas.isConnected
    this.send({ op: "stroke", points: steps(points), version: seen ? version : null })
  }

  addPoint(event) {
    const { points } = this.stroke
    const [x, y] = this.onCanvas(event)
    if (Math.hypot(x - points.at(-1)[0], y - points.at(-1)[1]) >= LEAST_STEP) points.push([x, y])
    // The server takes no longer list. Every other point tells the shape of so long a stroke as well.
    if (points.length > MOST_POINTS) this.stroke.points = points.filter((_, place) => place % 2 === 0 || place === points.length - 1)
  }

  onCanvas(event) {
    // A canvas that was replaced under the pen has no box any more: the stroke goes on where it was.
    const box = this.upper.isConnected || !this.place ? this.upper.getBoundingClientRect() : this.place
    this.place = box
    return [((event.clientX - box.left) / box.width) * this.upper.width, ((event.clientY - box.top) / box.height) * this.upper.height]
  }

  // Each click counts. Two clicks on a button of Streamlit count once while the server is busy.
  clicked(event) {
    const button = event.target.closest?.(".st-key-undo button, .st-key-redo button")
    if (!button || button.disabled) return
    event.preventDefault()
    event.stopPropagation()
    this.send({ op: button.closest(".st-key-undo") ? "undo" : "redo" })
  }

  // Puts the eraser's and the selection's layer on the canvas, once it is there.
  attach() {
    const root = canvasRoot()
    const container = root?.querySelector(".dc-container")
    const upper = root?.querySelector("canvas.upper-canvas")
    if (!container || !upper || (upper === this.upper && this.layer.isConnected)) return
    const again = Boolean(this.upper)
    this.root = root
    this.container = container
    this.upper = upper
    upper.addEventListener("pointerdown", (event) => this.startStroke(event))
    const style = document.createElement("style")
    style.textContent = this.data.css
    this.layer = document.createElement("div")
    this.layer.className = "layer"
    this.layer.innerHTML = '<svg aria-hidden="true"><polyline/></svg><div class="frames"></div>'
    this.layer.onpointerdown = (event) => this.down(event)
    this.layer.onpointermove = (event) => this.moveTo(event)
    this.layer.onpointerup = this.layer.onpointercancel = (event) => this.up(event)
    container.append(style, this.layer)
    upper.tabIndex = 0
    upper.setAttribute("role", "img")
    upper.setAttribute("aria-label", this.data.label)
    root.querySelectorAll("canvas:not(.upper-canvas)").forEach((one) => one.setAttribute("aria-hidden", "true"))
    root.querySelector(".dc-toolbar")?.setAttribute("inert", "")
    // A text field gives its text when it loses the focus, which drawing alone does not take from it.
    root.querySelector(".dc-root").addEventListener("pointerdown", () => {
      if (isField(document.activeElement)) document.activeElement.blur()
    }, { capture: true })
    this.addHandle(root.querySelector(".dc-root"))
    this.widths.disconnect()
    const column = document.querySelector(".st-key-canvas_column")
    if (column) {
      column.id = "canvas" // the skip link's target
      this.widths.observe(column)
    }
    this.paint()
    this.fit()
    this.show()
    if (again) this.send({ op: "show" }) // another canvas, which shows an earlier drawing
  }

  addHandle(root) {
    const handle = document.createElement("div")
    handle.className = "handle"
    handle.tabIndex = 0
    handle.title = "Drag to make the canvas taller"
    for (const [name, value] of [["role", "separator"], ["aria-orientation", "horizontal"], ["aria-label", "Height of the canvas"], ["aria-valuemin", this.data.least], ["aria-valuemax", this.data.most]]) {
      handle.setAttribute(name, value)
    }
    const tell = (height) => this.setState("height", Math.round(Math.min(this.data.most, Math.max(this.data.least, height))))
    let start = null
    handle.onpointerdown = (event) => {
      start = { y: event.clientY, height: this.data.height }
      handle.setPointerCapture(event.pointerId)
    }
    handle.onpointermove = (event) => {
      if (start) this.container.style.height = `${Math.max(this.data.least, start.height + (event.clientY - start.y) / this.zoom())}px`
    }
    handle.onpointerup = (event) => {
      if (start) tell(start.height + (event.clientY - start.y) / this.zoom())
      start = null
    }
    handle.onkeydown = (event) => {
      const step = { ArrowDown: LONE_STEP, ArrowUp: -LONE_STEP }[event.key]
      if (!step) return
      event.preventDefault()
      tell(this.data.height + step)
    }
    this.handle = handle
    root.append(handle)
  }

  zoom() {
    return Math.min(1, (this.columnWidth || this.data.width) / this.data.width)
  }

  // Shrinks a canvas that is wider than its column, so that no ink is cut off, and reports the column's width.
  fit() {
    const column = document.querySelector(".st-key-canvas_column")
    if (column) this.columnWidth = Math.floor(column.getBoundingClientRect().width)
    if (this.container) this.container.style.zoom = this.zoom()
    this.handle?.setAttribute("aria-valuenow", this.data.height)
    if (!this.columnWidth || Math.abs(this.columnWidth - this.reported) <= LEAST_CHANGE) return
    clearTimeout(this.reporting)
    this.reporting = setTimeout(() => {
      this.reported = this.columnWidth
      this.setState("width", this.columnWidth)
    }, this.reported ? REPORT_AFTER : 0)
  }

  paint() {
    if (!this.root) return
    const paper = getComputedStyle(this.root.host).getPropertyValue("--st-background-color")
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
    probe.fillStyle = paper.trim() || "#fff"
    probe.fillRect(0, 0, 1, 1)
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data
    const dark = red + green + blue < 384
    this.root.querySelector(".dc-root").classList.toggle("dark", dark)
    document.documentElement.toggleAttribute("data-dark-paper", dark)
  }

  choose(name) {
    this.tool = name
    this.selected.clear()
    this.show()
  }

  show() {
    for (const button of this.bar.querySelectorAll("button")) {
      const name = button.dataset.tool
      if (name === "delete") button.hidden = !this.selected.size
      else button.setAttribute("aria-pressed", String(name === this.tool))
    }
    if (!this.layer) return
    this.layer.dataset.tool = this.tool
    this.layer.dataset.strokes = this.boxes.length
    const frames = this.layer.querySelector(".frames")
    frames.replaceChildren(...[...this.selected].filter((number) => this.boxes[number]).map((number) => this.frame(this.boxes[number])))
    frames.style.transform = ""
  }

  frame([left, top, right, bottom], kind = "frame") {
    const frame = document.createElement("div")
    frame.className = kind
    frame.style.cssText = `left:${left}px;top:${top}px;width:${right - left}px;height:${bottom - top}px`
    return frame
  }

  at(event) {
    const box = this.layer.getBoundingClientRect()
    return [((event.clientX - box.left) / box.width) * this.data.width, ((event.clientY - box.top) / box.height) * this.data.height]
  }

  down(event) {
    if (event.button) return
    event.preventDefault()
    this.layer.setPointerCapture(event.pointerId)
    const [x, y] = this.at(event)
    this.path = [[x, y]]
    this.by = [0, 0]
    this.band = false
    if (this.tool === "erase") return this.drawPath()
    const met = this.boxes
      .map((box, number) => ({ number, box, size: (box[2] - box[0]) * (box[3] - box[1]) }))
      .filter(({ box }) => x > box[0] - SLACK && x < box[2] + SLACK && y > box[1] - SLACK && y < box[3] + SLACK)
      .sort((one, other) => one.size - other.size)
      .map(({ number }) => number)
    if (met.some((number) => this.selected.has(number)) && !event.shiftKey) return
    if (!event.shiftKey) this.selected.clear()
    if (met.length) this.selected.add(met[0])
    else this.band = true
    this.show()
  }

  moveTo(event) {
    if (!this.path) return
    const [x, y] = this.at(event)
    this.path.push([x, y])
    if (this.tool === "erase") return this.drawPath()
    this.by = [x - this.path[0][0], y - this.path[0][1]]
    const frames = this.layer.querySelector(".frames")
    if (this.band) frames.replaceChildren(this.frame(this.banded(), "band"))
    else frames.style.transform = `translate(${this.by[0]}px, ${this.by[1]}px)`
  }

  up(event) {
    if (!this.path) return
    const path = this.path
    this.path = null
    if (event.type === "pointercancel") return this.show()
    if (this.tool === "erase") {
      this.layer.querySelector("polyline").setAttribute("points", "")
      this.send({ op: "erase", points: steps(path) })
    } else if (this.band) {
      const [left, top, right, bottom] = this.banded(path)
      this.boxes.forEach((box, number) => {
        const x = (box[0] + box[2]) / 2, y = (box[1] + box[3]) / 2
        if (x >= left && x <= right && y >= top && y <= bottom) this.selected.add(number)
      })
      this.show()
    } else if (Math.hypot(...this.by) > LEAST_MOVE) {
      this.send({ op: "move", strokes: [...this.selected], by: this.by.map(Math.round) })
    }
  }

  banded(path = this.path) {
    const [x, y] = path[0], [u, v] = path.at(-1)
    return [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)]
  }

  drawPath() {
    this.layer.querySelector("polyline").setAttribute("points", this.path.map((point) => point.join(",")).join(" "))
  }

  deleteSelected() {
    if (this.selected.size) this.send({ op: "delete", strokes: [...this.selected] })
    this.selected.clear()
    this.show()
  }

  key(event) {
    if (isField(event.composedPath()[0])) return
    if ((event.ctrlKey || event.metaKey) && !event.altKey && ["z", "y"].includes(event.key.toLowerCase())) {
      const redo = event.shiftKey || event.key.toLowerCase() === "y"
      this.send({ op: redo ? "redo" : "undo" })
      event.preventDefault()
    } else if (["Delete", "Backspace"].includes(event.key) && this.selected.size) {
      this.deleteSelected()
      event.preventDefault()
    } else if (event.key === "Escape" && this.selected.size) {
      this.selected.clear()
      this.show()
    }
  }

  close() {
    this.keep()
    pending = { session: this.session, edits: this.edits }
    if (current === this) become(null)
    this.bar.replaceChildren()
    clearInterval(this.timer)
    clearTimeout(this.reporting)
    cancelAnimationFrame(this.frameAsked)
    document.removeEventListener("pointerdown", this.onDown, { capture: true })
    document.removeEventListener("keydown", this.onKey)
    document.removeEventListener("click", this.onClick, { capture: true })
    for (const name of DRAWING) document.removeEventListener(name, this.onDraw)
    this.widths.disconnect()
    this.themes.disconnect()
    this.skipNav.remove()
    this.layer?.remove()
    this.handle?.remove()
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (isOld({ data, parentElement })) return
  if (!known.has(parentElement)) known.set(parentElement, new CanvasTools(parentElement))
  known.get(parentElement).update(data, setStateValue)
  return () => {
    known.get(parentElement)?.close()
    known.delete(parentElement)
  }
}
