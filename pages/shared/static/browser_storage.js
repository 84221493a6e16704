// The browser's own storage of this app: reads it when the page is loaded, and writes what it is given.
const PREFIX = "handwriting-recognition/"
const answered = new WeakMap() // element → the question that it answered last
const written = new Map() // slot → the text that this page wrote last
let guard = null // the listener that warns before a reload

function readAll() {
  const values = {}
  try {
    for (let number = 0; number < localStorage.length; number++) {
      const name = localStorage.key(number)
      if (name.startsWith(PREFIX)) values[name.slice(PREFIX.length)] = localStorage.getItem(name)
    }
  } catch {} // storage is blocked
  return values
}

function write(slot, text) {
  if (written.get(slot) === text) return
  try {
    if (text === null) localStorage.removeItem(PREFIX + slot)
    else localStorage.setItem(PREFIX + slot, text)
    written.set(slot, text)
  } catch {} // storage is blocked or full
}

function warn(wanted) {
  if (guard) window.removeEventListener("beforeunload", guard)
  guard = wanted ? (event) => event.preventDefault() : null
  if (guard) window.addEventListener("beforeunload", guard)
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (data.question && answered.get(parentElement) !== data.question) {
    answered.set(parentElement, data.question)
    setTriggerValue("stored", { question: data.question, values: readAll() })
  }
  if (data.forget) Object.keys(readAll()).forEach((slot) => write(slot, null))
  if (data.slot) write(data.slot, data.text)
  if (data.warn === undefined) return
  warn(data.warn)
  return () => warn(false)
}
