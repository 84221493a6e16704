// Tells the server which files an uploader refused, or could not send. Streamlit shows a red icon, and why only in its tooltip.
//
// `data.taken` is the number of the last refusal that the server has taken. Later ones are sent until it has.

const CHIP = '[data-testid="stFileChip"][aria-invalid="true"]'
const UPLOADERS = { pages: '[class*="st-key-files-"]', settings: '[class*="st-key-settings-"]' }
const known = new WeakSet() // chips that were told
let waiting = [] // refusals that the server has not taken yet
let number = 0 // of the last refusal
let send = null

// Streamlit's own sentence, which only a screen reader gets.
function reasonOf(chip) {
  const sentence = document.getElementById(chip.getAttribute("aria-describedby"))?.textContent ?? ""
  if (/not allowed/.test(sentence)) return "kind"
  return /or smaller/.test(sentence) ? "size" : "failed"
}

function look() {
  const before = number
  for (const [uploader, place] of Object.entries(UPLOADERS)) {
    for (const chip of document.querySelectorAll(`${place} ${CHIP}`)) {
      if (known.has(chip)) continue
      known.add(chip)
      const name = chip.querySelector('[data-testid="stFileChipName"]')?.title ?? ""
      waiting.push({ n: ++number, uploader, name, reason: reasonOf(chip) })
    }
  }
  if (number > before) send(waiting)
}

const observer = new MutationObserver(look)

export default function ({ data, setTriggerValue }) {
  send = (refusals) => setTriggerValue("refused", refusals)
  waiting = waiting.filter(({ n }) => n > data.taken)
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-invalid"] })
  look()
  return () => observer.disconnect()
}
