// The fields of the lines: the keys between them, and the way from a field to the picture and back. A text that is being
// typed, and that the server does not have yet, is kept in the browser's storage, where Python takes it after a reload.
//
// `data.doubts` has [line, start, end] of each unsure word, in characters. `data.typed` has the page, the name of its file
// and, by the keys of the fields, the outline and the text of each line.

const PATIENCE = 5000 // milliseconds that the next fields may take to come
const TYPED = "handwriting-recognition/photo-typed"
const KEEP = "handwriting-recognition/keep" // "false" once the person switched storing off
const FIELD = /^Line (\d+)$/

class Keys {
  constructor() {
    this.onKey = (event) => this.pressed(event)
    this.onFocus = (event) => this.focused(event)
    this.onInput = (event) => this.lineOf(event.target) !== null && this.keepTyped()
    this.onLine = (event) => event.detail.from === "picture" && this.chosen(event.detail)
  }

  attach() {
    document.addEventListener("keydown", this.onKey, true)
    document.addEventListener("focusin", this.onFocus)
    document.addEventListener("input", this.onInput)
    document.addEventListener("hwr-line", this.onLine)
  }

  detach() {
    document.removeEventListener("keydown", this.onKey, true)
    document.removeEventListener("focusin", this.onFocus)
    document.removeEventListener("input", this.onInput)
    document.removeEventListener("hwr-line", this.onLine)
  }

  // The texts of the fields that differ from what the server has shown. An empty field is about to be filled.
  get typedTexts() {
    const { page, name, fields } = this.typed
    return Object.entries(fields).flatMap(([key, [outline, shown]]) => {
      const text = document.querySelector(`.st-key-${key} input`)?.value.trim()
      return text && text !== shown.trim() ? [{ page, name, outline, text }] : []
    })
  }

  keepTyped() {
    try {
      const texts = localStorage.getItem(KEEP) === "false" ? [] : this.typedTexts
      if (texts.length) localStorage.setItem(TYPED, JSON.stringify(texts))
      else localStorage.removeItem(TYPED)
    } catch {} // storage is blocked or full
  }

  // The number of the line whose field this is, from 0; null for anything else.
  lineOf(element) {
    const found = element?.tagName === "INPUT" && FIELD.exec(element.getAttribute("aria-label") ?? "")
    return found ? Number(found[1]) - 1 : null
  }

  field(line) {
    return document.querySelector(`input[aria-label="Line ${line + 1}"]`)
  }

  pressed(event) {
    const line = this.lineOf(event.target)
    if (line === null || event.isComposing) return
    const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step || event.ctrlKey || event.metaKey) return
    if (event.altKey && event.key !== "Enter") this.nextDoubt(line, event.target, step)
    else {
      this.goTo(line + (event.shiftKey ? -step : step), line)
    }
    if (event.key !== "Enter") event.preventDefault()
  }

  // To the field of a line, which may be among the fields that are not shown.
  goTo(line, from) {
    const field = this.field(line)
    if (field) {
      field.focus()
      return field.select()
    }
    const button = line > from ? "stPaginationNext" : "stPaginationPrev"
    const turn = document.querySelector(`.st-key-field_pages [data-testid="${button}"]:enabled`)
    if (!turn) return
    turn.click()
    const start = performance.now()
    const wait = setInterval(() => {
      const field = this.field(line)
      if (field || performance.now() - start > PATIENCE) clearInterval(wait)
      if (field) this.goTo(line, from)
    }, 60)
  }

  nextDoubt(line, field, step) {
    const doubts = this.doubts.filter(([at]) => this.field(at))
    const after = ([at, start]) => at > line || (at === line && start >= field.selectionEnd)
    const before = ([at, start]) => at < line || (at === line && start < field.selectionStart)
    const next = step > 0 ? doubts.find(after) ?? doubts[0] : doubts.findLast(before) ?? doubts.at(-1)
    if (!next) return
    const to = this.field(next[0])
    to.focus()
    to.setSelectionRange(next[1], next[2])
    this.tell(next[0], to)
  }

  focused(event) {
    const line = this.lineOf(event.target)
    if (line !== null) this.tell(line, event.target)
  }

  tell(line, field) {
    const doubt = this.doubts.find(([at, start, end]) =>
      at === line && start === field.selectionStart && end === field.selectionEnd)
    const word = doubt ? field.value.slice(0, doubt[1]).split(" ").filter(Boolean).length : null
    document.dispatchEvent(new CustomEvent("hwr-line", { detail: { line, word, from: "text" } }))
  }

  chosen({ line, word }) {
    const field = this.field(line)
    if (!field) return
    field.focus({ preventScroll: true })
    field.scrollIntoView({ block: "nearest", behavior: "smooth" })
    if (word === null) return
    const words = [...field.value.matchAll(/[^ ]+/g)]
    if (words[word]) field.setSelectionRange(words[word].index, words[word].index + words[word][0].length)
  }
}

export default function ({ data, parentElement }) {
  if (isOld({ data, parentElement })) return
  const keys = (parentElement.keys ??= new Keys())
  Object.assign(keys, data)
  keys.attach()
  keys.keepTyped()
  return () => keys.detach()
}
