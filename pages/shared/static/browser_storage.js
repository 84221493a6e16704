// The browser's own storage of this app: reads it when the page is loaded, and writes what it is given. It also watches
// the connection to the server, which may be started again: then the page runs again, and the new session asks the storage.
// `foldSidebar` is in sidebar.js, `sendFieldsFirst` in leaving.js, `mergedTexts` in merging.js; Python puts the files together.
//
// Several tabs share the storage. Each has a drawing of its own, which its own reload brings back; a new tab starts with the one that
// was stored last. Of the other slots each tab keeps what the others stored.
const PREFIX = "handwriting-recognition/"
const ANSWER_AGAIN = 3000 // milliseconds until an answer that did not arrive is sent again; each time twice as many
const NOTE_AFTER = 1500 // milliseconds without a connection after which the page says so
const NOTE = "No connection to the server. This page goes on when the server is back."
const CONNECTION = "data-test-connection-state" // Streamlit's attribute of its root element
const OWN = "draw" // the slot that each tab has for itself, in its own storage
const KEEP = "keep" // the slot that has "false" once the person switched storing off
const forgotten = new Set() // presses of Forget that were heeded: a page that is shown again has its last one again
const written = new Map() // slot → the text that this page wrote last
let asked = null // the question of the server; null once it has the answer
let answered = null // the question that was answered last
let send = null // sends an answer, and has the page run
let guard = null // the listener that warns before a reload
let watched = null // the root element whose connection is watched
let lost = null // the timer of the note; null while there is a connection

function readAll() {
  const values = {}
  try {
    for (let number = 0; number < localStorage.length; number++) {
      const name = localStorage.key(number)
      if (name.startsWith(PREFIX)) values[name.slice(PREFIX.length)] = localStorage.getItem(name)
    }
    if (values[KEEP] === "false") sessionStorage.removeItem(PREFIX + OWN) // another tab switched storing off
    const own = sessionStorage.getItem(PREFIX + OWN)
    if (own !== null) values[OWN] = own
  } catch {} // storage is blocked
  for (const slot of MERGED) if (!written.has(slot)) written.set(slot, values[slot] ?? null)
  return values
}

function answer() {
  answered = asked
  send({ question: asked, values: asked ? readAll() : {} })
}

// A run that is interrupted may lose what it was sent.
function answerUntilHeard(question, delay = ANSWER_AGAIN) {
  if (asked !== question) return
  answer()
  setTimeout(answerUntilHeard, delay, question, 2 * delay)
}

function write(slot, text) {
  if (written.get(slot) === text) return
  try {
    const whole = mergedTexts(slot, text, written.get(slot), localStorage.getItem(PREFIX + slot))
    if (whole === null) localStorage.removeItem(PREFIX + slot)
    else localStorage.setItem(PREFIX + slot, whole)
    if (slot === OWN && text === null) sessionStorage.removeItem(PREFIX + slot)
    else if (slot === OWN) sessionStorage.setItem(PREFIX + slot, text)
    written.set(slot, text)
    if (slot === KEEP && text === "false") empty() // of the other pages too
  } catch {} // storage is blocked or full
}

// Also what another script or another tab has written.
function empty() {
  for (const slot of Object.keys(readAll())) {
    if (slot === KEEP) continue
    localStorage.removeItem(PREFIX + slot)
    written.set(slot, null)
  }
  try {
    sessionStorage.removeItem(PREFIX + OWN)
  } catch {} // storage is blocked
}

function warn(wanted) {
  if (guard) window.removeEventListener("beforeunload", guard)
  guard = wanted ? (event) => event.preventDefault() : null
  if (guard) window.addEventListener("beforeunload", guard)
}

function note(shown) {
  document.getElementById("connection-note")?.remove()
  if (!shown) return
  const element = document.createElement("div")
  element.id = "connection-note"
  element.setAttribute("role", "status")
  element.textContent = NOTE
  element.style.cssText = "position:fixed;bottom:1rem;left:50%;transform:translateX(-50%);z-index:1000000;width:max-content;max-width:90vw;padding:.6rem 1rem;border-radius:.75rem;background:#1c2340;color:#fff;border:1px solid #8fa5ff"
  document.body.append(element)
}

function look() {
  const connected = watched.getAttribute(CONNECTION) === "CONNECTED"
  if (connected === (lost === null)) return
  clearTimeout(lost)
  lost = connected ? null : setTimeout(note, NOTE_AFTER, true)
  if (!connected) return
  note(false)
  answer() // a server that was started again knows nothing of this page: it runs, and asks
}

function watchConnection() {
  const app = document.querySelector(`[${CONNECTION}]`)
  if (!app || app === watched) return
  watched = app
  new MutationObserver(look).observe(app, { attributes: true, attributeFilter: [CONNECTION] })
}

export default function ({ data, setTriggerValue }) {
  if (data.question !== undefined) {
    asked = data.question
    send = (values) => setTriggerValue("stored", values)
    watchConnection()
    foldSidebar()
    sendFieldsFirst()
    if (asked && asked !== answered) answerUntilHeard(asked)
  }
  if (data.forget && !forgotten.has(data.forget)) {
    forgotten.add(data.forget)
    empty()
  }
  if (data.slot) write(data.slot, data.text)
  if (data.warn === undefined) return
  warn(data.warn)
  return () => warn(false)
}
