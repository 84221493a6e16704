// Keeps the text that is being typed, the cursor and the focus when a reading arrives meanwhile: it has a field of its own,
// which takes the place of the one that is typed into. Python puts this file before canvas_tools.js.
const FIELD = /st-key-correction-(\d+-[0-9a-f]+-[0-9a-f]+)-\d+/ // of the editable text, by its reading
const NEXT_FIELD = "[class*=st-key-correction-] textarea"
const EMPTY_FOR = 300 // milliseconds after which an empty field is one without text; before, its text may still come
const PATIENCE = 5000 // milliseconds that the next field may take to come
let typing = null // the field with the focus, its first text, its text and cursor, and when it was last seen

// The reading that a field belongs to; undefined for any other element.
function readingOf(element) {
  if (!element?.matches?.("textarea")) return undefined
  return FIELD.exec(element.closest("[class*=st-key-correction-]")?.className)?.[1]
}

document.addEventListener("focusin", ({ target }) => {
  if (!readingOf(target) || typing?.field === target) return
  const idle = typing === null
  typing = { field: target, first: target.value, text: target.value, cursor: target.selectionStart, seen: performance.now() }
  if (idle) requestAnimationFrame(followTyping)
})

function followTyping() {
  const { field } = typing
  if (!field.isConnected) takeUp(document.querySelector(NEXT_FIELD))
  else if (document.activeElement !== field) typing = null // it has given its text
  else Object.assign(typing, { text: field.value, cursor: field.selectionStart, seen: performance.now() })
  if (typing) requestAnimationFrame(followTyping)
}

// Goes on in the field of the new reading.
function takeUp(next) {
  const { first, text, cursor, seen } = typing
  const elsewhere = document.activeElement !== document.body
  const waited = performance.now() - seen
  if (elsewhere || waited > PATIENCE) typing = null
  if (elsewhere || !next || (!next.value && waited < EMPTY_FOR)) return
  const [merged, place] = mergedText(first.split("\n"), text.split("\n"), next.value.split("\n"), cursor)
  next.focus({ preventScroll: true })
  if (merged !== next.value) {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(next, merged)
    next.dispatchEvent(new Event("input", { bubbles: true }))
  }
  next.setSelectionRange(place, place)
}

// The lines of a new reading with those that were typed in place of their first texts, and where the cursor is in them.
function mergedText(first, typed, read, cursor) {
  if (typed.length !== first.length) return [[...typed, ...read.slice(first.length)].join("\n"), cursor]
  const lines = [...read]
  const places = first.map((line, number) => (read[number] === line || !read.includes(line) ? number : read.indexOf(line)))
  typed.forEach((line, number) => {
    if (line !== first[number]) lines[places[number]] = line
  })
  let row = 0
  for (; cursor > typed[row].length; row += 1) cursor -= typed[row].length + 1
  return [lines.join("\n"), lines.slice(0, places[row]).reduce((sum, line) => sum + line.length + 1, 0) + cursor]
}
