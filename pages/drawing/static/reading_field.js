// The editable text of a reading. It stays the same field whatever is read: a reading that arrives while one types takes
// neither the text, nor the cursor, nor the focus. What was typed is an operation like a stroke (see canvas_tools.js), so
// it is made in its order, once, and also after a reload. `mergedText` is in merged_text.js; Python puts the files together.
const EDIT = "hwr-edit" // the event with an operation, which canvas_tools.js sends
const known = new WeakMap()

class ReadingField {
  constructor(parent) {
    this.area = parent.querySelector("textarea")
    this.label = parent.querySelector("span")
    this.first = null // the text that the server gave last
    this.sent = null // the text in operation number `number`, until the server has made that
    this.number = 0
    this.area.oninput = () => this.grow()
    this.area.onblur = () => this.tell()
    this.area.onpointerdown = () => { this.cursors = null } // the pointer puts the cursor
    this.area.onfocus = () => this.comeBack()
    this.area.onkeydown = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.tell()
    }
    this.area.oncompositionstart = () => { this.composing = true }
    this.area.oncompositionend = () => {
      this.composing = false
      if (this.waiting) this.update(this.waiting)
    }
    this.onLeave = () => this.tell()
    window.addEventListener("pagehide", this.onLeave)
    this.widths = new ResizeObserver(() => this.grow())
    this.widths.observe(parent)
  }

  update(data) {
    this.waiting = this.composing ? data : null // a text that is composed of several keys must not change meanwhile
    if (this.composing) return
    if (this.session !== data.session) this.number = 0 // a server that was started again counts anew
    if (this.number && data.applied >= this.number) {
      this.first = this.sent
      this.number = 0
    }
    const { value } = this.area
    const cursors = this.cursors ?? [this.area.selectionStart, this.area.selectionEnd]
    const first = this.first ?? value
    const [text, ...places] = mergedText(first, value, data.text, cursors)
    if (this.number) [this.sent] = mergedText(first, this.sent, data.text, []) // is still to come
    if (text !== value) {
      this.area.value = text // moves the cursor to the end
      this.cursors = places
      if (document.activeElement === this.area) this.putCursor()
    }
    this.first = data.text
    this.session = data.session
    this.reading = data.reading
    this.label.textContent = data.label
    this.grow()
  }

  // The cursor is where it was, unless something else has put it: it was left at the end.
  comeBack() {
    const { selectionStart, selectionEnd, value } = this.area
    if (selectionStart === value.length && selectionEnd === value.length) this.putCursor()
    this.cursors = null
  }

  // Only in a field with the focus: in Safari a cursor that is put takes the focus.
  putCursor() {
    if (this.cursors) this.area.setSelectionRange(...this.cursors)
    this.cursors = null
  }

  tell() {
    const { value } = this.area
    if (value === (this.number ? this.sent : this.first)) return
    const detail = { op: "type", reading: this.reading, first: this.first, text: value }
    document.dispatchEvent(new CustomEvent(EDIT, { detail }))
    this.sent = value
    this.number = detail.n
  }

  // Where CSS cannot do it.
  grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.area.style.height = "auto"
    const border = this.area.offsetHeight - this.area.clientHeight
    this.area.style.height = `${this.area.scrollHeight + border}px`
  }

  close() {
    this.tell()
    this.widths.disconnect()
    window.removeEventListener("pagehide", this.onLeave)
  }
}

export default function ({ data, parentElement }) {
  if (isOld({ data, parentElement })) return
  if (!known.has(parentElement)) known.set(parentElement, new ReadingField(parentElement))
  known.get(parentElement).update(data)
  return () => {
    known.get(parentElement)?.close()
    known.delete(parentElement)
  }
}
